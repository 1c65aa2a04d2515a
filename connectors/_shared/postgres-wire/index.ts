export {
  type ConnectionOptions,
  type DataHandler,
  PostgresConnection,
  type QueryResult,
} from './connection.ts'
export { FrameReader, type MessageHandler } from './frame-reader.ts'
export { connectionError, PostgresError, protocolError } from './postgres-error.ts'
export { quoteIdentifier, quoteLiteral } from './quote.ts'
export type { SslMode } from './socket.ts'
