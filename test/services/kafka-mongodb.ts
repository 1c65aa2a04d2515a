// The MongoDB Kafka connector from Maven: the original of connectors/mongodb.
import { fileURLToPath } from 'node:url'
import { javaMissing, mavenJars } from './java.ts'
import { mongoMissing } from './mongo.ts'

/** Versions that ours is compared with, and the Avro that each needs. */
const AVRO = { '1.13.0': '1.9.2', '2.0.1': '1.12.0' } as const

export type MongoConnectorVersion = keyof typeof AVRO

export const MONGO_CONNECTORS = Object.keys(AVRO) as readonly MongoConnectorVersion[]

const POM = fileURLToPath(new URL('kafka-mongodb/pom.xml', import.meta.url))

const nameOf = (version: MongoConnectorVersion): string => `kafka-mongodb-${version}`

/** Why the original cannot be compared with here, or null; fails instead when MILLRACE_REQUIRE_SERVICES=1. */
export function mongoConnectorMissing(): string | null {
  return mongoMissing() ?? javaMissing('MongoDB Kafka connector', nameOf('1.13.0'))
}

/** The folder of its jars, with those of the Kafka that it runs on. */
export function mongoConnectorJars(version: MongoConnectorVersion = '1.13.0'): Promise<string> {
  const options = [`-Dconnector.version=${version}`, `-Davro.version=${AVRO[version]}`]
  return mavenJars(nameOf(version), POM, options)
}
