"""Exchange Web Services: https://learn.microsoft.com/exchange/client-developer/web-service-reference/ews-operations-in-exchange."""
