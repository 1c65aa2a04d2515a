package millrace.test;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;

/** The plugins of ../plugins/probe for Kafka Connect: they fail where they are told to. */
public class Probe {
  /** Tasks that write nothing; those of `fail.tasks` throw in start, and so does the connector with `fail.connector`. */
  public static class Source extends SourceConnector {
    private Map<String, String> settings;

    @Override
    public void start(Map<String, String> settings) {
      this.settings = settings;
      if ("true".equals(settings.get("fail.connector"))) throw new IllegalStateException("the connector fails on purpose");
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
      List<Map<String, String>> configs = new ArrayList<>();
      for (int task = 0; task < maxTasks; task++) {
        Map<String, String> config = new HashMap<>(settings);
        config.put("number", Integer.toString(task));
        configs.add(config);
      }
      return configs;
    }

    @Override
    public void stop() {}

    @Override
    public Class<? extends Task> taskClass() {
      return SourceTask.class;
    }

    @Override
    public ConfigDef config() {
      return new ConfigDef()
          .define("fail.tasks", ConfigDef.Type.STRING, "", ConfigDef.Importance.LOW, "Numbers of tasks that fail.")
          .define("fail.connector", ConfigDef.Type.BOOLEAN, false, ConfigDef.Importance.LOW, "Whether the connector fails.");
    }

    @Override
    public String version() {
      return "1.0.0";
    }
  }

  public static class SourceTask extends org.apache.kafka.connect.source.SourceTask {
    @Override
    public void start(Map<String, String> settings) {
      String failing = "," + settings.getOrDefault("fail.tasks", "") + ",";
      if (failing.contains("," + settings.get("number") + ",")) throw new IllegalStateException("the task fails on purpose");
    }

    @Override
    public List<SourceRecord> poll() throws InterruptedException {
      Thread.sleep(10);
      return null;
    }

    @Override
    public void stop() {}

    @Override
    public String version() {
      return "1.0.0";
    }
  }

  /** Throws a retriable error for values that say so: `retry N` for so many times, `retry` always; and another for `throw`. */
  public static class Flaky<R extends ConnectRecord<R>> implements Transformation<R> {
    private int tries = 0;

    @Override
    public R apply(R record) {
      String value = String.valueOf(record.value());
      if (value.equals("throw")) throw new IllegalStateException("not wanted");
      if (value.equals("retry") || (value.startsWith("retry ") && tries++ < Integer.parseInt(value.substring(6)))) {
        throw new RetriableException("not yet");
      }
      return record;
    }

    @Override
    public ConfigDef config() {
      return new ConfigDef();
    }

    @Override
    public void close() {}

    @Override
    public void configure(Map<String, ?> settings) {}

    @Override
    public String version() {
      return "1.0.0";
    }
  }
}
