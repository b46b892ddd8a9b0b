// The native side of the interop tests: joins a room and answers, or calls, whoever is there.
//
// It talks in lines on standard output, which the test reads, and echoes channels until one says
// `please close`; `statistics` is answered with them.
#include <asiortc/asiortc.hpp>
#include <asiortc/channel_stream.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;

struct options {
  options() = default;
  std::string server;
  std::string room;
  bool hide_candidates = false;  ///< the other side gets none of our candidates
  asiortc::configuration config;
  std::size_t largest = 262144;  ///< bytes of the largest message that we send
  std::size_t stream = 0;        ///< bytes that are streamed in place of messages
};

options parse(int argc, char** argv) {
  options parsed;
  for (int index = 1; index < argc; ++index) {
    const std::string_view flag = argv[index];
    if (flag == "--hide-candidates") {
      parsed.hide_candidates = true;
    } else if (flag == "--mdns-candidates") {
      parsed.config.mdns_candidates = asiortc::mdns_candidates::hide;
    } else if (flag == "--ice-lite") {
      parsed.config.ice_lite = true;
    } else if (index + 1 < argc && flag == "--server") {
      parsed.server = argv[++index];
    } else if (index + 1 < argc && flag == "--room") {
      parsed.room = argv[++index];
    } else if (index + 1 < argc && flag == "--largest") {
      parsed.largest = std::stoul(argv[++index]);
    } else if (index + 1 < argc && flag == "--stream") {
      parsed.stream = std::stoul(argv[++index]);
    } else {
      throw std::runtime_error("unknown argument " + std::string(flag));
    }
  }
  return parsed;
}

void say(const std::string& line) { std::cout << line + '\n' << std::flush; }

std::string without_candidates(const std::string& sdp) {
  std::string kept;
  for (std::size_t start = 0; start < sdp.size();) {
    const auto end = sdp.find('\n', start);
    const auto line = sdp.substr(start, end == std::string::npos ? end : end + 1 - start);
    if (!line.starts_with("a=candidate:")) kept += line;
    start += line.size();
  }
  return kept;
}

/// Keeps our candidates from the other side, so that only its own can make a pair.
class hiding_pipe final : public asiortc::signaling_pipe {
 public:
  explicit hiding_pipe(std::shared_ptr<signaling_pipe> inner) : inner_(std::move(inner)) {}

  bool send(asiortc::peer_signal value) override {
    if (auto* description = std::get_if<asiortc::session_description>(&value)) {
      description->sdp = without_candidates(description->sdp);
      return inner_->send(std::move(value));
    }
    return std::get<asiortc::ice_candidate>(value).candidate.empty()
               ? inner_->send(std::move(value))
               : true;
  }
  void close() override { inner_->close(); }
  [[nodiscard]] std::optional<bool> polite() const override { return inner_->polite(); }

 protected:
  void start_receive(receive_handler handler) override {
    inner_->async_receive(std::move(handler));
  }

 private:
  std::shared_ptr<signaling_pipe> inner_;
};

struct session {
  session(const asio::any_io_executor& executor, const asiortc::configuration& config,
          std::shared_ptr<asiortc::signaling_pipe> pipe)
      : connection(executor, config),
        negotiation(asiortc::negotiate(connection, std::move(pipe))) {}

  asiortc::peer_connection connection;
  asiortc::negotiation negotiation;
};
using session_ptr = std::shared_ptr<session>;

asio::awaitable<void> echo(session_ptr keep, asiortc::data_channel channel) {
  const std::string label = channel.label();
  say("open " + label);
  try {
    for (;;) {
      auto received = co_await channel.async_receive();
      if (!received) break;
      const bool close = received->is_text() && received->text() == "please close";
      if (close) {
        co_await channel.async_close();
        break;
      }
      if (received->is_text() && received->text() == "statistics") {
        const auto report = co_await keep->connection.async_get_stats();
        co_await channel.async_send(report.to_json());
        continue;
      }
      co_await channel.async_send(std::move(*received));
    }
    say("closed " + label);
  } catch (const boost::system::system_error& ended) {
    say("ended " + label + ": " + ended.code().message());
  }
  static_cast<void>(keep);
}

/// Sends texts and bytes, awaits their echo, and closes, on a channel that we make here.
asio::awaitable<void> exchange(session_ptr keep, std::size_t largest) {
  auto channel = keep->connection.create_data_channel("from-native");
  co_await channel.async_open();
  say("open " + channel.label());
  std::vector<std::uint8_t> bytes(largest, 7);
  std::vector<std::uint8_t> nothing;
  co_await channel.async_send("text from native");
  co_await channel.async_send("");
  co_await channel.async_send(std::move(nothing));
  co_await channel.async_send(std::move(bytes));
  std::size_t answers = 0;
  std::string seen;
  while (answers < 4) {
    auto received = co_await channel.async_receive();
    if (!received) break;
    ++answers;
    seen += (received->is_text() ? " text:" : " binary:") + std::to_string(received->size());
  }
  say("echoed" + seen);
  co_await channel.async_close();
  say("closed " + channel.label());
}

/// Writes a stream of bytes, from before its channel is open, and reads it from the echo.
asio::awaitable<void> stream(session_ptr keep, std::size_t size) {
  using namespace asio::experimental::awaitable_operators;
  asiortc::channel_stream bytes(keep->connection.create_data_channel("stream-from-native"));
  std::string written(size, ' ');
  for (std::size_t i = 0; i < size; ++i) written[i] = static_cast<char>('a' + i % 23);
  std::string read(size, ' ');
  co_await (asio::async_write(bytes, asio::buffer(written), asio::use_awaitable) &&
            asio::async_read(bytes, asio::buffer(read), asio::use_awaitable));
  say(read == written ? "streamed " + std::to_string(size) : "another stream came back");
  co_await bytes.async_close();
  say("closed stream-from-native");
}

asio::awaitable<void> accept_channels(session_ptr keep) {
  const auto channels = keep->connection.data_channels();
  for (;;) {
    auto channel = co_await channels.async_next();
    if (!channel) break;
    asio::co_spawn(keep->connection.get_executor(), echo(keep, std::move(*channel)),
                   asio::detached);
  }
}

asio::awaitable<void> tell_states(session_ptr keep) {
  const auto states = keep->connection.connection_states();
  for (;;) {
    auto [ended, change] = co_await states.async_next(asio::as_tuple(asio::use_awaitable));
    if (!change) break;
    std::string line = "state " + std::string(to_string(change->state));
    const bool explained = static_cast<bool>(change->reason);
    if (explained) line += " (" + change->reason.message() + ")";
    say(line);
  }
}

asio::awaitable<void> tell_pairs(session_ptr keep) {
  const auto pairs = keep->connection.selected_candidate_pairs();
  for (;;) {
    auto [ended, pair] = co_await pairs.async_next(asio::as_tuple(asio::use_awaitable));
    if (!pair) break;
    say("pair " + to_string(*pair));
  }
}

void start_session(const asio::any_io_executor& executor, const options& wanted,
                   std::shared_ptr<asiortc::signaling_pipe> pipe) {
  const bool calling = pipe->polite().value_or(false);
  if (wanted.hide_candidates) pipe = std::make_shared<hiding_pipe>(std::move(pipe));
  auto made = std::make_shared<session>(executor, wanted.config, std::move(pipe));
  asio::co_spawn(executor, tell_states(made), asio::detached);
  asio::co_spawn(executor, tell_pairs(made), asio::detached);
  asio::co_spawn(executor, accept_channels(made), asio::detached);
  if (!calling) return;
  auto call = wanted.stream > 0 ? stream(made, wanted.stream) : exchange(made, wanted.largest);
  asio::co_spawn(executor, std::move(call), [](std::exception_ptr thrown) {
    if (thrown) say("call failed");
  });
}

asio::awaitable<void> serve(options wanted) {
  const auto executor = co_await asio::this_coro::executor;
  asiortc::signaling_client room(executor);
  co_await room.async_connect(wanted.server);
  co_await room.async_join(wanted.room, "native");
  say("joined");
  const auto events = room.events();
  for (const auto& peer : room.peers()) start_session(executor, wanted, room.pipe_to(peer.id));
  for (;;) {
    auto event = co_await events.async_next();
    if (!event) break;
    const bool joined = event->kind == asiortc::signaling_event_kind::peer_joined;
    if (joined) start_session(executor, wanted, room.pipe_to(event->peer.id));
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    asio::io_context context(1);
    asio::signal_set signals(context, SIGTERM, SIGINT);
    signals.async_wait([&](auto, int) { context.stop(); });
    std::exception_ptr failure;
    asio::co_spawn(context, serve(parse(argc, argv)), [&](std::exception_ptr thrown) {
      failure = thrown;
      context.stop();
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
  } catch (const std::exception& wrong) {
    std::cerr << "interop_peer: " << wrong.what() << '\n';
    return 1;
  }
}
