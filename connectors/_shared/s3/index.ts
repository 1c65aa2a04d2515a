// This door loads no client: configurations need none. `object-store.ts` is the other one, for when objects are asked for.
export { connectionConfig, SESSION_NAME, urlProblem } from './connection-config.ts'
export { classifyS3, isMissing, isTaken } from './failure.ts'
export type { ListedObject, ObjectStore, StoreSettings, WriteSettings } from './object-store.ts'
export { bucketIssues, type BucketKeys, storeSettings } from './store-settings.ts'
