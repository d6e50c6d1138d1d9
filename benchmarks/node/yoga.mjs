// graphql-yoga, dataloader and mysql2 as their documentation has them; with --jit, graphql-jit executes.
import { createServer } from "node:http";
import { useGraphQlJit } from "@envelop/graphql-jit";
import DataLoader from "dataloader";
import { createSchema, createYoga } from "graphql-yoga";
import mysql from "mysql2/promise";

const pool = mysql.createPool({ uri: process.env.BENCH_DATABASE, connectionLimit: 10 });

const typeDefs = /* GraphQL */ `
  enum BrainArea { V1 LM AL RL }
  type StackUnit { stackX: Float! stackY: Float! stackZ: Float! }
  type Oracle { pearson: Float! trials: Int! }
  type Unit {
    unitId: Int! umX: Int! umY: Int! umZ: Int! pxX: Int! pxY: Int! msDelay: Int!
    stackUnit: StackUnit oracle: Oracle brainArea: BrainArea
  }
  type Units { nodes: [Unit!]! }
  type Scan { units(first: Int!, after: String): Units! }
  type Query { scan(session: Int!, scanIdx: Int!): Scan }
`;

/** A loader of a table's rows by unit: one statement for all units of a request. */
function byUnit(table, columns) {
  return new DataLoader(async (keys) => {
    const [rows] = await pool.query(
      `SELECT session, scan_idx, unit_id, ${columns} FROM ${table} WHERE (session, scan_idx, unit_id) IN (?)`,
      [keys],
    );
    const found = new Map(rows.map((row) => [`${row.session}.${row.scan_idx}.${row.unit_id}`, row]));
    return keys.map((key) => found.get(key.join(".")) ?? null);
  }, { cacheKeyFn: (key) => key.join(".") });
}

const UNITS = `SELECT session, scan_idx, unit_id AS unitId, um_x AS umX, um_y AS umY, um_z AS umZ, px_x AS pxX,
  px_y AS pxY, ms_delay AS msDelay FROM scan_unit
  WHERE session = ? AND scan_idx = ? AND unit_id > ? ORDER BY unit_id LIMIT ?`;

const key = (unit) => [unit.session, unit.scan_idx, unit.unitId];

const resolvers = {
  Query: { scan: (_, { session, scanIdx }) => ({ session, scanIdx }) },
  Scan: {
    units: async ({ session, scanIdx }, { first, after }) => {
      const [nodes] = await pool.query(UNITS, [session, scanIdx, Number(after ?? 0), first]);
      return { nodes };
    },
  },
  Unit: {
    stackUnit: (unit, _, { loaders }) => loaders.stackUnit.load(key(unit)),
    oracle: (unit, _, { loaders }) => loaders.oracle.load(key(unit)),
    brainArea: async (unit, _, { loaders }) => (await loaders.area.load(key(unit)))?.brain_area,
  },
};

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: () => ({
    loaders: {
      stackUnit: byUnit("stack_unit", "stack_x AS stackX, stack_y AS stackY, stack_z AS stackZ"),
      oracle: byUnit("oracle", "pearson, trials"),
      area: byUnit("area_membership", "brain_area"),
    },
  }),
  plugins: process.argv.includes("--jit") ? [useGraphQlJit()] : [],
  graphiql: false,
  logging: false,
});

createServer(yoga).listen(Number(process.env.PORT), "127.0.0.1");
