import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Arguments: bootstrap servers, topic. Writes an aborted, a committed and an unfinished transaction, then dies. */
public class Transactions {
  public static void main(String[] args) throws Exception {
    KafkaProducer<String, String> producer = producer(args[0], "one");
    producer.beginTransaction();
    producer.send(new ProducerRecord<>(args[1], 0, null, "aborted")).get();
    producer.abortTransaction();
    producer.beginTransaction();
    producer.send(new ProducerRecord<>(args[1], 0, null, "committed")).get();
    producer.commitTransaction();
    KafkaProducer<String, String> other = producer(args[0], "two");
    other.beginTransaction();
    other.send(new ProducerRecord<>(args[1], 0, null, "open")).get();
    producer.beginTransaction();
    producer.send(new ProducerRecord<>(args[1], 0, null, "behind")).get();
    producer.commitTransaction();
    Runtime.getRuntime().halt(0);
  }

  static KafkaProducer<String, String> producer(String servers, String id) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", servers);
    properties.put("transactional.id", id);
    // The broker must not abort the unfinished one while the test reads.
    properties.put("transaction.timeout.ms", "900000");
    KafkaProducer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
    producer.initTransactions();
    return producer;
  }
}
