package org.apache.kafka.connect.mirror;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/**
 * What MirrorMaker 2 makes of its files. Each line of the input is a file as JSON; each line of the output has its flows
 * with the properties of their worker and the configurations of their connectors, or why the file was refused. The empty
 * line asks for the keys that are taken from the top of a file.
 */
public class FlowRunner {
  static final ObjectMapper MAPPER = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(MAPPER.writeValueAsString(line.isEmpty() ? keys() : flows(line)));
    }
    out.flush();
  }

  static Object keys() {
    MirrorMakerConfig config = new MirrorMakerConfig(Map.of("clusters", "A"));
    return Map.of(
        "client", new TreeSet<>(MirrorClientConfig.CLIENT_CONFIG_DEF.names()),
        "connector", new TreeSet<>(config.allConfigNames()));
  }

  @SuppressWarnings("unchecked")
  static Object flows(String line) throws Exception {
    try {
      MirrorMakerConfig config = new MirrorMakerConfig(MAPPER.readValue(line, Map.class));
      Map<String, Object> flows = new TreeMap<>();
      for (SourceAndTarget flow : config.clusterPairs()) {
        Map<String, Object> connectors = new TreeMap<>();
        for (Class<?> connector : MirrorMaker.CONNECTOR_CLASSES) {
          connectors.put(connector.getSimpleName(), config.connectorBaseConfig(flow, connector));
        }
        flows.put(flow.toString(), Map.of("worker", config.workerConfig(flow), "connectors", connectors));
      }
      return Map.of("flows", flows);
    } catch (Exception e) {
      return Map.of("refused", e.toString());
    }
  }
}
