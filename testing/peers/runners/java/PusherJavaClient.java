import com.google.gson.Gson;
import com.pusher.client.Pusher;
import com.pusher.client.PusherOptions;
import com.pusher.client.channel.PrivateChannelEventListener;
import com.pusher.client.channel.PusherEvent;
import com.pusher.client.util.HttpChannelAuthorizer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** pusher-java-client under the benchmark: MODE PORT [COUNT]; see ../README.md for the modes and the output. */
public final class PusherJavaClient {
    private static final String[] EVENTS = {
        "App\\Events\\UserPush", "Illuminate\\Notifications\\Events\\BroadcastNotificationCreated", "bench-end",
    };

    private final String mode;
    private final int port;
    private final Gson gson = new Gson();
    private final List<Long> times = new ArrayList<>();
    private int events;

    private PusherJavaClient(String mode, int port) {
        this.mode = mode;
        this.port = port;
    }

    public static void main(String[] arguments) throws Exception {
        PusherJavaClient client = new PusherJavaClient(arguments[0], Integer.parseInt(arguments[1]));
        int count = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 1;
        if (!client.mode.equals("sessions")) {
            count = 1;
        }
        List<Pusher> held = new ArrayList<>();
        for (int session = 0; session < count; session += 1) {
            held.add(client.open());
        }
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        while (input.readLine() != null) {
            System.gc();
            System.out.println("collected");
        }
        System.exit(held.isEmpty() ? 1 : 0);
    }

    private Pusher open() throws InterruptedException {
        HttpChannelAuthorizer authorizer =
            new HttpChannelAuthorizer("http://127.0.0.1:" + port + "/api/v1/broadcasting/auth");
        authorizer.setHeaders(Map.of("Authorization", "Bearer bench-token"));
        PusherOptions options = new PusherOptions();
        options.setHost("127.0.0.1");
        options.setWsPort(port);
        options.setUseTLS(false);
        options.setChannelAuthorizer(authorizer);
        Pusher pusher = new Pusher("bench-key", options);
        CountDownLatch subscribed = new CountDownLatch(2);
        pusher.subscribePrivate("private-token.bench", listener(subscribed), EVENTS);
        pusher.subscribePrivate("private-user.42", listener(subscribed), EVENTS);
        pusher.connect();
        subscribed.await();
        return pusher;
    }

    private PrivateChannelEventListener listener(CountDownLatch subscribed) {
        return new PrivateChannelEventListener() {
            @Override
            public void onEvent(PusherEvent event) {
                received(event);
            }

            @Override
            public void onSubscriptionSucceeded(String channel) {
                subscribed.countDown();
            }

            @Override
            public void onAuthenticationFailure(String message, Exception error) {
                System.err.println(message + ": " + error);
                System.exit(1);
            }
        };
    }

    private void received(PusherEvent event) {
        if (mode.equals("stopped")) {
            try {
                Thread.sleep(Long.MAX_VALUE);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        if (event.getEventName().equals("bench-end")) {
            StringBuilder text = new StringBuilder("done " + events + " 0\n");
            times.forEach(time -> text.append(time).append('\n'));
            System.out.print(text);
            System.out.flush();
            System.exit(0);
        }
        // The library leaves the text in `data` to its user.
        gson.fromJson(event.getData(), Map.class);
        events += 1;
        if (mode.equals("times")) {
            times.add(System.nanoTime());
        }
    }
}
