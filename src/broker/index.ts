export {
  type BoundListener,
  type Broker,
  type BrokerMetrics,
  type BrokerOptions,
  createBroker,
} from './broker.ts'
export { BrokerConfigError } from './config/broker-config.ts'
