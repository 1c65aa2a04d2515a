export { type Compression, compressionOf } from './compression.ts'
export {
  formatKeys,
  formatOf,
  namingKeys,
  oneOfClasses,
  partitionKeys,
  rotationKeys,
  type StorageConfig,
} from './config.ts'
export { Memory } from './memory.ts'
export { ObjectBuffer } from './object-buffer.ts'
export { namingOf, objectKey } from './object-key.ts'
export { type FileLayout, type FileObject, OpenFile } from './open-file.ts'
export { partitionerIssues } from './configured-partitioner.ts'
export { sameSchema } from './schema-change.ts'
export { type StorageOptions, StorageSinkTask } from './sink-task.ts'
export { type FileTarget, Uploader, type UploadGroup } from './uploader.ts'
export { writeFormat } from './write-format.ts'
export { isZone, type ZoneOffset, zoneOffset } from './zone.ts'
