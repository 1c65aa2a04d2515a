import { type Collection, MongoClient } from 'mongodb'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type MongoServer, startMongo } from '../../services/mongo.ts'

/** What tests of MongoDB have at hand. */
export interface MongoTests {
  readonly server: MongoServer
  readonly client: MongoClient
  /** The name of the database of the test. */
  readonly database: string
  /** The collection `orders` of the test. */
  orders(): Collection<any>
}

/** A server for the tests of a block, and a database of its own for each. */
export function useMongo(): MongoTests {
  let server: MongoServer
  let client: MongoClient
  let count = 0
  const database = (): string => `shop${count}`
  beforeAll(async () => {
    server = await startMongo()
    client = await new MongoClient(server.uri).connect()
  })
  beforeEach(() => void count++)
  afterAll(async () => {
    await client?.close()
    await server?.stop()
  })
  return {
    get server() {
      return server
    },
    get client() {
      return client
    },
    get database() {
      return database()
    },
    orders: () => client.db(database()).collection('orders'),
  }
}
