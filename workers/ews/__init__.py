"""Exchange Web Services: the backend for Exchange on premises. The only package that loads lxml."""
