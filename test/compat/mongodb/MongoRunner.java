import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import com.mongodb.kafka.connect.MongoSinkConnector;
import com.mongodb.kafka.connect.MongoSourceConnector;
import com.mongodb.kafka.connect.sink.MongoSinkTask;
import com.mongodb.kafka.connect.source.MongoSourceTask;
import java.lang.reflect.Field;
import java.lang.reflect.Proxy;
import java.util.*;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.connect.connector.Connector;
import org.apache.kafka.connect.sink.*;
import org.apache.kafka.connect.source.*;
import org.apache.kafka.connect.storage.OffsetStorageReader;

/**
 * Runs the connector of the jars on the class path. Each line of the input is a case: of a sink with records, of a source with
 * the offset that it goes on from, or of a configuration. Each line of the output is what became of it.
 */
public class MongoRunner extends ConnectData {
  /** A source that has nothing for so many polls, and for longer than the intervals of heartbeats, has no more. */
  static final int IDLE_POLLS = 3;
  static final long IDLE_NANOS = 20_000_000;

  public static void main(String[] args) throws Exception {
    answerLines(MongoRunner::run);
    // What a driver left behind must not keep the process.
    System.exit(0);
  }

  static JsonNode run(JsonNode c) {
    switch (c.get("kind").asText()) {
      case "sink": return sink(c);
      case "source": return source(c);
      default: return config(c);
    }
  }

  /** What the definition and the connector say to a configuration, by key. */
  static JsonNode config(JsonNode c) {
    Connector connector = c.get("side").asText().equals("sink") ? new MongoSinkConnector() : new MongoSourceConnector();
    ObjectNode out = MAPPER.createObjectNode();
    try {
      ObjectNode errors = out.putObject("errors");
      for (ConfigValue value : connector.validate(options(c.get("options"))).configValues()) {
        if (!value.errorMessages().isEmpty()) errors.put(value.name(), String.join("; ", value.errorMessages()));
      }
      return out;
    } catch (Throwable t) {
      return MAPPER.createObjectNode().set("thrown", error(t));
    }
  }

  /** The records go to the task in the groups that they are in; what follows a put that failed is not delivered. */
  static JsonNode sink(JsonNode c) {
    ObjectNode out = MAPPER.createObjectNode();
    ArrayNode reported = out.putArray("reported");
    ErrantRecordReporter reporter = (record, failure) -> {
      ObjectNode one = (ObjectNode) error(failure);
      reported.add(one.put("topic", record.topic()).put("offset", record.kafkaOffset()));
      return CompletableFuture.completedFuture(null);
    };
    boolean hasQueue = c.get("hasQueue").asBoolean();
    MongoSinkTask task = new MongoSinkTask();
    try {
      task.initialize(context(SinkTaskContext.class, "errantRecordReporter", ignored -> hasQueue ? reporter : null));
      task.start(options(c.get("options")));
    } catch (Throwable t) {
      return MAPPER.createObjectNode().set("refused", error(t));
    }
    ArrayNode puts = out.putArray("puts");
    try {
      for (JsonNode put : c.get("puts")) {
        List<SinkRecord> records = new ArrayList<>();
        for (JsonNode r : put) records.add((SinkRecord) record(r));
        task.put(records);
        puts.addNull();
      }
    } catch (Throwable t) {
      puts.add(error(t));
    }
    task.stop();
    return out;
  }

  /** Polls until nothing comes any more, or so many records came as the case says. */
  static JsonNode source(JsonNode c) {
    MongoSourceTask task = new MongoSourceTask();
    Map<String, Object> offset = c.get("offset").isNull() ? null : new HashMap<>(options(c.get("offset")));
    OffsetStorageReader reader = context(OffsetStorageReader.class, "offset", ignored -> offset);
    ObjectNode out = MAPPER.createObjectNode();
    try {
      task.initialize(context(SourceTaskContext.class, "offsetStorageReader", ignored -> reader));
      task.start(options(c.get("options")));
    } catch (Throwable t) {
      return MAPPER.createObjectNode().set("refused", error(t));
    }
    ArrayNode records = out.putArray("records");
    int most = c.get("most").asInt();
    try {
      long last = System.nanoTime();
      for (int idle = 0; (idle < IDLE_POLLS || System.nanoTime() - last < IDLE_NANOS) && records.size() < most;) {
        List<SourceRecord> polled = task.poll();
        idle++;
        if (isCopying(task) || polled != null && !polled.isEmpty()) {
          idle = 0;
          last = System.nanoTime();
        }
        if (polled != null) for (SourceRecord r : polled) records.add(dump(r));
      }
    } catch (Throwable t) {
      out.set("error", error(t));
    }
    task.stop();
    return out;
  }

  /** Threads of the task copy, and a poll that finds nothing of theirs yet says nothing about the end. */
  static boolean isCopying(MongoSourceTask task) throws ReflectiveOperationException {
    Field started = MongoSourceTask.class.getDeclaredField("startedTask");
    started.setAccessible(true);
    Field copying = started.getType().getDeclaredField("isCopying");
    copying.setAccessible(true);
    return copying.getBoolean(started.get(task));
  }

  static JsonNode dump(SourceRecord r) {
    ObjectNode out = dumpRecord(r);
    out.set("sourcePartition", MAPPER.valueToTree(r.sourcePartition()));
    out.set("sourceOffset", MAPPER.valueToTree(r.sourceOffset()));
    return out;
  }

  /** A context of which one method is used; the others do nothing. */
  static <T> T context(Class<T> type, String method, Function<Object[], Object> answer) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, called, arguments) ->
        called.getName().equals(method) ? answer.apply(arguments) : null));
  }
}
