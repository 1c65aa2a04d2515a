/**
 * Downloads what the tests compare with, once for each machine: before the tests, so that no time-out of theirs counts it,
 * and one after another, since two Mavens must not fill one local repository at the same time.
 */
import { prepareSearchServer, searchServerMissing, type SearchServerName } from './elasticsearch.ts'
import { type KafkaVersion, kafkaJars, kafkaMissing } from './kafka.ts'
import { pluginPath } from './kafka-connect.ts'
import { mirrorMakerJars } from './kafka-mirror.ts'
import { mongoConnectorJars, mongoConnectorMissing } from './kafka-mongodb.ts'
import { mongoMissing, prepareMongo } from './mongo.ts'
import { PYTHON_CLIENTS, PYTHON_FORMATS, pythonMissing, pythonWith } from './python.ts'
import { prepareS3, s3Missing } from './s3.ts'

const versions: readonly KafkaVersion[] = ['4.3.1', '3.9.2']
for (const version of versions) if (kafkaMissing(version) === null) await kafkaJars(version)
if (kafkaMissing() === null) await pluginPath()
if (kafkaMissing() === null) await mirrorMakerJars()
for (const packages of pythonMissing() === null ? [PYTHON_CLIENTS, PYTHON_FORMATS] : []) await pythonWith(packages)
const searchServers: readonly SearchServerName[] = ['elasticsearch-9', 'elasticsearch-8', 'opensearch']
for (const name of searchServers) if (searchServerMissing(name) === null) await prepareSearchServer(name)
if (s3Missing() === null) await prepareS3()
if (mongoMissing() === null) await prepareMongo()
if (mongoConnectorMissing() === null) await mongoConnectorJars()
