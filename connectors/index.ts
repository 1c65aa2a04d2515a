import type { PluginManifest } from '@millrace/sdk'
import { bullmqManifests } from './bullmq/manifest.ts'
import { datagenManifest } from './datagen/manifest.ts'
import { manifest as elasticsearch } from './elasticsearch/manifest.ts'
import { fileManifests } from './file/manifest.ts'
import { sinkManifest as httpSink, sourceManifest as httpSource } from './http/manifest.ts'
import { sinkManifest as jdbcSink, sourceManifest as jdbcSource } from './jdbc/manifest.ts'
import { mirrorManifests } from './mirror/manifest.ts'
import { sinkManifest as mongoSink, sourceManifest as mongoSource } from './mongodb/manifest.ts'
import { manifest as postgresCdc } from './postgres-cdc/manifest.ts'
import { redisManifests } from './redis/manifest.ts'
import {
  aivenSinkManifest as s3TemplateSink,
  sinkManifest as s3Sink,
  sourceManifest as s3Source,
} from './s3/manifest.ts'
import { spooldirManifests } from './spooldir/manifest.ts'
import { manifest as syslog } from './syslog/manifest.ts'

/** The built-in connectors. A manifest imports no connector code. */
export const builtinManifests: readonly PluginManifest[] = [
  ...bullmqManifests,
  datagenManifest,
  elasticsearch,
  ...fileManifests,
  httpSink,
  httpSource,
  jdbcSink,
  jdbcSource,
  ...mirrorManifests,
  mongoSink,
  mongoSource,
  postgresCdc,
  ...redisManifests,
  s3Sink,
  s3Source,
  s3TemplateSink,
  ...spooldirManifests,
  syslog,
]
