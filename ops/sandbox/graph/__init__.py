"""Microsoft Graph, as far as it concerns events: https://learn.microsoft.com/graph/api/resources/event."""
