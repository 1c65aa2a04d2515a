/** Units per second of Debezium's types for times without a zone. */
export const debeziumTimes: Readonly<Record<string, bigint>> = {
  'io.debezium.time.Time': 1000n,
  'io.debezium.time.MicroTime': 1_000_000n,
  'io.debezium.time.NanoTime': 1_000_000_000n,
}

/** Units per second of Debezium's types for timestamps without a zone. */
export const debeziumTimestamps: Readonly<Record<string, number>> = {
  'io.debezium.time.Timestamp': 1000,
  'io.debezium.time.MicroTimestamp': 1_000_000,
  'io.debezium.time.NanoTimestamp': 1_000_000_000,
}
