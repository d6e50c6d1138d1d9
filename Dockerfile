# GraphiQL's files
FROM node:22-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --omit=dev

# The server, in an environment of its own
FROM python:3.12-slim AS build
RUN python -m venv /opt/gql-nda
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY tools tools
COPY examples examples
COPY gql_nda gql_nda
COPY --from=web /src/web/node_modules web/node_modules
RUN python -m tools.graphiql
RUN /opt/gql-nda/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.12-slim
COPY --from=build /opt/gql-nda /opt/gql-nda
ENV PATH=/opt/gql-nda/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --system --no-create-home gql-nda && install --directory --owner gql-nda /var/cache/gql-nda
ENV GQL_NDA_SNAPSHOT_FOLDER=/var/cache/gql-nda
VOLUME /var/cache/gql-nda
USER gql-nda
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gql-nda", "serve", "--host", "0.0.0.0"]
