import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import de.bwaldvogel.mongo.wire.message.MongoQuery;
import java.util.List;
import org.h2.mvstore.MVStore;

/**
 * mongo-java-server as current drivers take it: they refuse the wire version that it reports. With a file it keeps its data,
 * and what it has confirmed survives kill -9. Ends with its standard input.
 */
public final class TestMongo {
  public static void main(String[] arguments) throws Exception {
    MongoBackend backend = arguments.length > 2 ? new DurableBackend(arguments[2]) : new MemoryBackend();
    backend.version(new MongoVersion() {
      @Override
      public List<Integer> getVersionArray() {
        return List.of(4, 4, 0);
      }

      @Override
      public int getWireVersion() {
        return 9;
      }
    });
    MongoServer server = new MongoServer(backend);
    if (Boolean.parseBoolean(arguments[1])) {
      server.enableOplog();
    }
    server.bind("127.0.0.1", Integer.parseInt(arguments[0]));
    System.out.println("STARTED");
    while (System.in.read() >= 0) {
      // Only the end counts.
    }
    System.exit(0);
  }

  /** Writes to its file before it answers. */
  private static final class DurableBackend extends H2Backend {
    DurableBackend(String file) {
      super(new MVStore.Builder().fileName(file).autoCommitDisabled().open());
    }

    @Override
    public Document handleMessage(MongoMessage message) {
      try {
        return super.handleMessage(message);
      } finally {
        commit();
      }
    }

    @Override
    public QueryResult handleQuery(MongoQuery query) {
      try {
        return super.handleQuery(query);
      } finally {
        commit();
      }
    }
  }
}
