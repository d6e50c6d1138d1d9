"""A GraphQL server over the MICrONS functional database nda."""

from importlib.metadata import version

__version__ = version("gql-nda")
