/** Where the connectors are, and what they were tried on: what their manifests cannot say. */
export interface ConnectorFolder {
  readonly folder: string
  readonly classes: readonly string[]
  /** Servers and versions that the tests run on. */
  readonly testedOn: string
  /** The tests that prove the guarantee, in test/: mostly kill -9 under load. */
  readonly provedBy: readonly string[]
  /** The tests that run the acceptance suite of the testkit over them. */
  readonly conformance: readonly string[]
}

const conformance = (...names: readonly string[]): readonly string[] =>
  names.map((name) => `integration/conformance-${name}.integration.test.ts`)

/** Every built-in connector is in exactly one of them. */
export const CONNECTOR_FOLDERS: readonly ConnectorFolder[] = [
  {
    folder: 'bullmq',
    classes: ['BullMQSink', 'BullMQSource'],
    testedOn: 'Redis 7.0',
    provedBy: ['integration/bullmq-kill.integration.test.ts'],
    conformance: conformance('redis'),
  },
  {
    folder: 'datagen',
    classes: ['DatagenSource'],
    testedOn: 'no server needed',
    provedBy: conformance('files'),
    conformance: conformance('files'),
  },
  {
    folder: 'elasticsearch',
    classes: ['ElasticsearchSink'],
    testedOn: 'Elasticsearch 9.5 and 8.19, OpenSearch 3.8',
    provedBy: ['integration/elasticsearch-kill.integration.test.ts'],
    conformance: conformance('elasticsearch'),
  },
  {
    folder: 'file',
    classes: ['FileStreamSource', 'FileStreamSink'],
    testedOn: 'no server needed',
    provedBy: conformance('files'),
    conformance: conformance('files'),
  },
  {
    folder: 'http',
    classes: ['HttpSource', 'HttpSink'],
    testedOn: 'a server of node:http that fails on purpose',
    provedBy: ['integration/http-kill.integration.test.ts'],
    conformance: conformance('http-s3'),
  },
  {
    folder: 'jdbc',
    classes: ['JdbcSource', 'JdbcSink'],
    testedOn: 'Postgres 15 and 18, MariaDB 10.11, SQLite of Node',
    provedBy: ['integration/jdbc-worker.integration.test.ts', 'integration/jdbc-exactly-once.integration.test.ts'],
    conformance: conformance('files', 'postgres', 'mariadb'),
  },
  {
    folder: 'mirror',
    classes: ['MirrorSource', 'MirrorCheckpoint', 'MirrorHeartbeat'],
    testedOn: 'Millrace, Kafka 4.3.1',
    provedBy: ['integration/mirror.integration.test.ts'],
    conformance: conformance('mirror'),
  },
  {
    folder: 'mongodb',
    classes: ['MongoSource', 'MongoSink'],
    testedOn: 'mongo-java-server 1.47; not on MongoDB itself, but with tests for a replica set that MONGO_URL names',
    provedBy: ['integration/mongodb-kill.integration.test.ts'],
    conformance: conformance('mongodb'),
  },
  {
    folder: 'postgres-cdc',
    classes: ['PostgresCdcSource'],
    testedOn: 'Postgres 15 and 18',
    provedBy: ['chaos/pipeline.chaos.test.ts', 'integration/cdc-restart.integration.test.ts'],
    conformance: conformance('postgres'),
  },
  {
    folder: 'redis',
    classes: ['RedisSink', 'RedisKeyValueSink', 'RedisStreamSource', 'RedisKeysSource'],
    testedOn: 'Redis 7.0, also as cluster and behind sentinels',
    provedBy: ['integration/redis-kill.integration.test.ts', 'integration/redis-exactly-once.integration.test.ts'],
    conformance: conformance('redis'),
  },
  {
    folder: 's3',
    classes: ['S3Sink', 'S3Source', 'S3TemplateSink'],
    testedOn: 'versitygw 1.8',
    provedBy: ['integration/s3-kill.integration.test.ts'],
    conformance: conformance('http-s3'),
  },
  {
    folder: 'spooldir',
    classes: [
      'SpoolDirCsvSource',
      'SpoolDirJsonSource',
      'SpoolDirSchemaLessJsonSource',
      'SpoolDirLineDelimitedSource',
      'SpoolDirBinaryFileSource',
      'SpoolDirAvroSource',
      'SpoolDirParquetSource',
      'SpoolDirFixedWidthSource',
      'SpoolDirELFSource',
      'SftpGenericSource',
      'SftpCsvSource',
      'SftpJsonSource',
      'SftpSchemaLessJsonSource',
      'SftpBinaryFileSource',
      'FtpSource',
      'FtpsSource',
      'SpoolDirSink',
      'SftpSink',
      'FtpsSink',
    ],
    testedOn: 'disks, OpenSSH 9.2, vsftpd 3.0, versitygw 1.8',
    provedBy: [
      'integration/spooldir.integration.test.ts',
      'integration/spooldir-remote.integration.test.ts',
      'integration/spooldir-s3.integration.test.ts',
      'integration/spooldir-sinks-kill.integration.test.ts',
      'integration/confluent-file-sinks.integration.test.ts',
      'integration/confluent-file-sources.integration.test.ts',
      'integration/ftp-source.integration.test.ts',
    ],
    conformance: conformance('files', 'readers', 'sftp-ftp', 'files-remote'),
  },
  {
    folder: 'syslog',
    classes: ['SyslogSource'],
    testedOn: 'rsyslog 8.2302, logger, openssl s_client',
    provedBy: ['integration/syslog-source.integration.test.ts'],
    conformance: conformance('syslog'),
  },
]
