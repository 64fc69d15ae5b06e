"""Microsoft Graph, as much of it as concerns events: https://learn.microsoft.com/graph/api/resources/event."""
