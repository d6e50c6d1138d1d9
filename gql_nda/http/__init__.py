"""The application: GraphQL endpoint, array routes, health, GraphiQL."""
