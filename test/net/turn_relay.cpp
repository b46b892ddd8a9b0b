// Two TURN clients over real sockets, each relayed to the other's relayed address by the server
// that the command line names: address port user password, or address port --secret SECRET for
// credentials that end by themselves. Status 0 where all of it worked.
#include "io/clock.hpp"
#include "stun/stream_framer.hpp"
#include "support/seeded_random.hpp"
#include "turn/client.hpp"

#include <asiortc/turn_rest_credentials.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace asiortc;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

/// How the client's packets reach the server.
class carrier {
 public:
  virtual ~carrier() = default;
  virtual void send(base::byte_span packet) = 0;
  std::function<void(base::mutable_byte_span)> on_packet;
};

class udp_carrier final : public carrier {
 public:
  udp_carrier(asio::io_context& context, const asio::ip::udp::endpoint& server) : socket_(context) {
    socket_.connect(server);
    receive();
  }

  void send(base::byte_span packet) override {
    socket_.send(asio::buffer(packet.data(), packet.size()));
  }

 private:
  void receive() {
    socket_.async_receive(asio::buffer(buffer_), [this](auto error, std::size_t size) {
      if (error == asio::error::operation_aborted) return;
      // Anything else, like a port that is not open yet, may pass.
      if (!error) on_packet(base::mutable_byte_span(buffer_).first(size));
      receive();
    });
  }

  asio::ip::udp::socket socket_;
  base::bytes buffer_ = base::bytes(2048);
};

class tcp_carrier final : public carrier {
 public:
  tcp_carrier(asio::io_context& context, const asio::ip::tcp::endpoint& server) : socket_(context) {
    socket_.connect(server);
    receive();
  }

  void send(base::byte_span packet) override {
    asio::write(socket_, asio::buffer(packet.data(), packet.size()));
  }

 private:
  void receive() {
    // In small pieces, so that messages are cut.
    const auto room = framer_.prepare(100);
    socket_.async_read_some(asio::buffer(room.data(), room.size()),
                            [this](auto error, std::size_t size) {
                              if (error) return;
                              framer_.commit(size);
                              while (const auto packet = framer_.next()) on_packet(*packet);
                              receive();
                            });
  }

  asio::ip::tcp::socket socket_;
  stun::message_framer framer_{2048};
};

struct arguments {
  std::string address;
  std::uint16_t port = 0;
  std::string user;
  std::string password;
};

class session {
 public:
  session(asio::io_context& context, const arguments& to, bool tcp, const std::string& password)
      : server_(route_to(to)), client_(settings_for(to, tcp, password), random_) {
    const auto address = asio::ip::make_address(to.address);
    if (tcp) {
      carrier_ = std::make_unique<tcp_carrier>(context, asio::ip::tcp::endpoint(address, to.port));
    } else {
      carrier_ = std::make_unique<udp_carrier>(context, asio::ip::udp::endpoint(address, to.port));
    }
    carrier_->on_packet = [this](base::mutable_byte_span bytes) { take(bytes); };
    client_.start(io::clock_now());
  }

  [[nodiscard]] turn::client& client() { return client_; }
  [[nodiscard]] const base::endpoint& relayed() const { return relayed_; }
  [[nodiscard]] std::uint16_t refused() const { return refused_; }
  std::vector<std::string> received;

  void send(const base::endpoint& peer, std::string_view text, base::traffic_class kind) {
    require(client_.send(io::clock_now(), peer, base::as_bytes(text), kind, batch_),
            "a packet dropped");
    flush();
  }

  void flush() {
    client_.poll_transmit(batch_);
    for (const auto& entry : batch_.entries()) carrier_->send(batch_.view(entry));
    batch_.clear();
    while (const auto event = client_.poll_event()) {
      if (const auto* got = std::get_if<turn::allocated>(&*event)) {
        require(got->lifetime < 10s, "the lifetime is too long to show a refresh");
        relayed_ = got->relayed;
      }
      require(!std::holds_alternative<turn::ended>(*event), "the allocation ended");
      if (const auto* failed = std::get_if<turn::failed>(&*event)) {
        std::printf("%s\n", failed->why.detail.c_str());
        refused_ = failed->code;
      }
    }
  }

 private:
  static base::route route_to(const arguments& to) {
    return {static_cast<base::socket_id>(1), {*base::ip_address::parse(to.address), to.port}};
  }

  static turn::settings settings_for(const arguments& to, bool tcp, const std::string& password) {
    turn::settings settings;
    settings.server = route_to(to);
    settings.reliable = tcp;
    settings.username = to.user;
    settings.password = password;
    // So that nonces turn stale under every kind of request.
    settings.permission_refresh = 300ms;
    settings.channel_refresh = 400ms;
    return settings;
  }

  void take(base::mutable_byte_span bytes) {
    base::datagram datagram;
    datagram.bytes = bytes;
    datagram.from = server_;
    const auto outcome = client_.handle_datagram(io::clock_now(), datagram);
    if (outcome.relayed) received.emplace_back(base::as_text(outcome.relayed->payload));
  }

  test::seeded_random random_{
      static_cast<std::uint64_t>(io::clock_now().time_since_epoch().count())};
  base::route server_;
  turn::client client_;
  std::unique_ptr<carrier> carrier_;
  base::packet_batch batch_;
  base::endpoint relayed_;
  std::uint16_t refused_ = 0;
};

/// Runs the sessions until it is so, ten seconds at most.
bool run_until(asio::io_context& context, const std::vector<session*>& sessions,
               const std::function<bool()>& reached) {
  const auto give_up = io::clock_now() + 10s;
  while (!reached()) {
    auto next = give_up;
    for (auto* one : sessions) {
      one->client().handle_timeout(io::clock_now());
      one->flush();
      next = std::min(next, one->client().next_deadline());
    }
    if (io::clock_now() >= give_up) return false;
    context.run_one_until(next);
    for (auto* one : sessions) one->flush();
  }
  return true;
}

void run(const arguments& to, bool tcp) {
  asio::io_context context;
  session a(context, to, tcp, to.password);
  session b(context, to, tcp, to.password);
  const std::vector both{&a, &b};
  require(run_until(context, both, [&] { return a.relayed().port != 0 && b.relayed().port != 0; }),
          "no allocation");

  // Each lets the other in by sending; the first one may find the door closed.
  b.client().permit(io::clock_now(), a.relayed());
  a.send(b.relayed(), "a check", base::traffic_class::control);
  require(run_until(context, both,
                    [&] {
                      if (b.received.empty())
                        a.send(b.relayed(), "x", base::traffic_class::control);
                      return !b.received.empty();
                    }),
          "no check arrived");
  // For longer than two nonces and two lifetimes, over indications and then over channels.
  const auto end = io::clock_now() + 5s;
  int exchanged = 0;
  while (io::clock_now() < end) {
    const auto text = std::string(static_cast<std::size_t>(1 + exchanged % 1000), 'd') +
                      std::to_string(exchanged);
    a.received.clear();
    b.received.clear();
    a.send(b.relayed(), text, base::traffic_class::data);
    const auto has = [&](const session& one) {
      return !one.received.empty() && one.received.back() == text;
    };
    require(run_until(context, both, [&] { return has(b); }), "a packet lost on its way to b");
    b.send(a.relayed(), text, base::traffic_class::data);
    require(run_until(context, both, [&] { return has(a); }), "a packet lost on its way to a");
    ++exchanged;
  }
  require(a.client().has_channel(b.relayed()) && b.client().has_channel(a.relayed()), "no channel");
  require(a.client().dropped_datagrams() == 0, "datagrams dropped");

  session wrong(context, to, tcp, "guess");
  require(
      run_until(context, {&wrong}, [&] { return wrong.refused() != 0; }) && wrong.refused() == 401,
      "wrong credentials not refused");
  // Nothing is asked until the nonce's second is over, so that giving back needs a new one.
  const auto stale = io::clock_now() + 1100ms;
  while (io::clock_now() < stale) context.run_one_until(stale);
  for (auto* one : both) one->client().close(io::clock_now());
  const auto closed = [&](session* one) {
    return one->client().current_state() == turn::state::closed;
  };
  require(run_until(context, both, [&] { return std::ranges::all_of(both, closed); }),
          "not given back");
  std::printf("%s: %d round trips relayed\n", tcp ? "TCP" : "UDP", exchanged);
}

arguments with_secret(const arguments& to, const std::string& secret, std::chrono::seconds left) {
  const auto made =
      make_turn_rest_credentials(secret, "anna", std::chrono::system_clock::now() + left);
  return {to.address, to.port, made.username, made.credential};
}

void run_with_secret(const arguments& to, const std::string& secret) {
  run(with_secret(to, secret, 1h), false);
  for (const auto& refused : {with_secret(to, secret, -1h), with_secret(to, "guess", 1h)}) {
    asio::io_context context;
    session late(context, refused, false, refused.password);
    require(
        run_until(context, {&late}, [&] { return late.refused() != 0; }) && late.refused() == 401,
        "credentials that ended or have another secret not refused");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const arguments to{argv[1], static_cast<std::uint16_t>(std::stoi(argv[2])), argv[3], argv[4]};
  try {
    if (to.user == "--secret") {
      run_with_secret(to, to.password);
    } else {
      run(to, false);
      run(to, true);
    }
  } catch (const std::exception& fault) {
    std::printf("failed: %s\n", fault.what());
    return 1;
  }
  return 0;
}
