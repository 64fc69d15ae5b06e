"""Microsoft Graph: https://learn.microsoft.com/graph/api/event-update."""
