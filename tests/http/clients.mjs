// Apollo Client and urql with their persisted queries against the server at argv[3]: one line of JSON,
// {client: [{data, requests: [{method, query, hash, status}]}]}, each client twice, with nothing cached.
// argv[2] is where the packages are installed.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const [folder, url] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

let requests = [];
async function recorded(address, options) {
  const asked = new URL(address);
  const sent = options.body ? JSON.parse(options.body) : Object.fromEntries(asked.searchParams);
  const response = await fetch(address, options);
  const extensions = typeof sent.extensions === "string" ? JSON.parse(sent.extensions) : sent.extensions;
  requests.push({
    method: options.method,
    query: Boolean(sent.query),
    hash: Boolean(extensions?.persistedQuery?.sha256Hash),
    status: response.status,
  });
  return response;
}

const QUERY = (name) => `query ${name}($session: Int!) { scan(session: $session, scanIdx: 7) { fps } }`;

async function apollo(useGETForHashedQueries) {
  const { ApolloClient, InMemoryCache, HttpLink, gql } = require("@apollo/client/core");
  const { createPersistedQueryLink } = require("@apollo/client/link/persisted-queries");
  const link = createPersistedQueryLink({ sha256, useGETForHashedQueries }).concat(new HttpLink({ uri: url, fetch: recorded }));
  const client = new ApolloClient({ link, cache: new InMemoryCache({ addTypename: false }) });
  const query = gql(QUERY(`Apollo${useGETForHashedQueries}`));
  return (await client.query({ query, variables: { session: 4 } })).data;
}

async function urql(preferGetForPersistedQueries) {
  const { Client, fetchExchange } = require("@urql/core");
  const { persistedExchange } = require("@urql/exchange-persisted");
  const persisted = persistedExchange({ preferGetForPersistedQueries, generateHash: async (text) => sha256(text) });
  const client = new Client({ url, exchanges: [persisted, fetchExchange], fetch: recorded, preferGetMethod: false });
  const { data, error } = await client.query(QUERY(`Urql${preferGetForPersistedQueries}`), { session: 4 });
  if (error) throw error;
  return data;
}

const results = {};
for (const ask of [apollo, urql]) {
  for (const get of [false, true]) {
    const asked = (results[`${ask.name} ${get ? "GET" : "POST"}`] = []);
    for (let i = 0; i < 2; i++) {
      requests = [];
      asked.push({ data: await ask(get), requests });
    }
  }
}
console.log(JSON.stringify(results));
