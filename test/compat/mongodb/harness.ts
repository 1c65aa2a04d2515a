import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { isConnectError } from '@millrace/sdk'
import { type MongoConnectorVersion, mongoConnectorJars } from '../../services/kafka-mongodb.ts'
import { type MongoServer, startMongo } from '../../services/mongo.ts'
import { javaAnswers } from '../java/program.ts'

/** Lines of MongoRunner.java and its answers. */
export async function throughJava(lines: readonly unknown[], version?: MongoConnectorVersion): Promise<any[]> {
  const source = join(import.meta.dirname, 'MongoRunner.java')
  return javaAnswers({ source, jars: [await mongoConnectorJars(version)] }, lines)
}

/** A server and what is in it. */
export class Side {
  readonly server: MongoServer
  readonly client: MongoClient

  private constructor(server: MongoServer, client: MongoClient) {
    this.server = server
    this.client = client
  }

  static async start(): Promise<Side> {
    const server = await startMongo()
    return new Side(server, await new MongoClient(server.uri).connect())
  }

  async stop(): Promise<void> {
    await this.client.close()
    await this.server.stop()
  }
}

/** What an error of ours says; one that is not of the SDK is a bug here, whatever the original does. */
export function messageOf(error: unknown): string {
  return isConnectError(error) ? error.message : `not typed: ${(error as Error).stack ?? String(error)}`
}
