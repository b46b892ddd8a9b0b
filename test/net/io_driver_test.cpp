// Two whole peers on their drivers, over real sockets on loopback.
#include "io/clock.hpp"
#include "io/peer_driver.hpp"
#include "net/io_responder.hpp"
#include "net/io_support.hpp"
#include "support/process_counts.hpp"

#include <asiortc/name_resolver.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <ctime>
#include <memory>
#include <optional>
#include <string>

using namespace asiortc;
namespace asio = boost::asio;

namespace {

std::shared_ptr<const crypto::identity> shared_identity() {
  static const auto made = *crypto::identity::generate(
      crypto::key_type::ecdsa_p256, std::time(nullptr), std::time(nullptr) + 86400);
  return made;
}

/// Nobody knows any name.
class knows_nothing final : public name_resolver {
 public:
  explicit knows_nothing(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  void async_resolve(std::string host, handler_type handler) override {
    asked = std::move(host);
    asio::post(executor_, [handler = std::move(handler)]() mutable {
      std::move(handler)(asio::error::host_not_found, std::vector<asio::ip::address>());
    });
  }
  void cancel() override {}

  std::string asked;

 private:
  asio::any_io_executor executor_;
};

io::driver_options on_loopback() {
  io::driver_options options;
  options.interface_filter = [](const interface_address& address) {
    return address.interface_name == "lo";
  };
  return options;
}

/// One side: hands its candidates to the other, counts what happens.
struct side final : io::peer_observer {
  side(const asio::any_io_executor& executor, io::driver_options options)
      : driver(std::make_unique<io::peer_driver>(executor, settings(), std::move(options))) {
    driver->set_observer(this);
  }

  static peer::settings settings() {
    peer::settings made;
    made.identity = shared_identity();
    made.ice.tcp = true;  // of no matter where the driver has no ends
    return made;
  }

  void on_event(peer::event&& event) override {
    if (const auto* candidate = std::get_if<peer::ice_candidate_event>(&event)) {
      if (other == nullptr || !other->driver) return;
      other->add(rewrite ? rewrite(candidate->value) : candidate->value);
    } else if (const auto* connection = std::get_if<peer::connection_state_event>(&event)) {
      state = connection->now;
    } else if (const auto* gathering = std::get_if<peer::ice_gathering_state_event>(&event)) {
      gathered = gathering->now == ice_gathering_state::complete;
    } else if (auto* channel = std::get_if<datachannel::event>(&event)) {
      const auto* message = std::get_if<datachannel::message_received>(channel);
      if (message != nullptr) received = message->value.text();
    }
  }

  void add(const ice_candidate& candidate) {
    driver->post([this, candidate] {
      if (!driver) return;
      static_cast<void>(driver->core().add_ice_candidate(driver->now(), candidate));
      driver->pump();
    });
  }

  void stop() {
    if (!driver || stopping) return;
    stopping = true;
    driver->core().close(driver->now(), errc::closed);
    driver->stop([this] { stopped = true; });
  }

  std::unique_ptr<io::peer_driver> driver;
  side* other = nullptr;
  std::function<ice_candidate(const ice_candidate&)> rewrite;
  connection_state state = connection_state::new_;
  std::string received;
  bool gathered = false, stopping = false, stopped = false;
};

/// Both sides on one thread, whose strands may be entered from outside between two handlers.
struct bench {
  explicit bench(asio::io_context& context, io::driver_options options = on_loopback())
      : first(context.get_executor(), options), second(context.get_executor(), options) {
    first.other = &second;
    second.other = &first;
    if (options.ice_tcp) first.rewrite = second.rewrite = without_udp;
  }

  /// A transport that nobody knows is ignored.
  static ice_candidate without_udp(const ice_candidate& candidate) {
    auto changed = candidate;
    const auto at = changed.candidate.find(" udp ");
    if (at != std::string::npos) changed.candidate.replace(at, 5, " none ");
    return changed;
  }

  void negotiate() {
    auto& a = first.driver->core();
    auto& b = second.driver->core();
    const auto now = first.driver->now();
    channel = *a.create_data_channel(now, "chat", {});
    const auto offer = *a.create_offer(now, {});
    REQUIRE(a.set_local_description(now, offer).has_value());
    REQUIRE(b.set_remote_description(now, offer).has_value());
    const auto answer = *b.create_answer(now);
    REQUIRE(b.set_local_description(now, answer).has_value());
    REQUIRE(a.set_remote_description(now, answer).has_value());
    first.driver->pump();
    second.driver->pump();
  }

  void say(const std::string& text) {
    const std::vector<std::uint8_t> content(text.begin(), text.end());
    const auto now = first.driver->now();
    REQUIRE(first.driver->core().channels().send(now, channel, message(content, true)).has_value());
    first.driver->core().handle_wake(now);
    first.driver->pump();
  }

  [[nodiscard]] bool connected() const {
    return first.state == connection_state::connected &&
           second.state == connection_state::connected;
  }
  [[nodiscard]] bool stopped() const { return first.stopped && second.stopped; }

  side first, second;
  datachannel::channel_key channel{};
};

}  // namespace

TEST_CASE("two peers connect, exchange a message, stop, and leave nothing behind") {
  const auto descriptors = test::open_descriptors();
  {
    asio::io_context context;
    bench b(context);
    b.negotiate();
    b.say("hello");
    REQUIRE(test::run_until(context, [&] { return b.second.received == "hello"; }));
    CHECK(b.connected());
    CHECK(test::running_threads() == 1);
    b.first.stop();
    b.second.stop();
    context.restart();
    context.run();  // ends: nothing keeps it alive
    CHECK(b.stopped());
    CHECK(test::open_descriptors() <= descriptors + 3);  // the context's reactor
  }
  CHECK(test::open_descriptors() == descriptors);
}

TEST_CASE("a large message crosses, in a loop that only polls") {
  asio::io_context context;
  bench b(context);
  b.negotiate();
  const std::string large(200000, 'x');
  b.say(large);
  const auto give_up = io::clock_now() + std::chrono::seconds(10);
  while (b.second.received.size() != large.size() && io::clock_now() < give_up) context.poll();
  CHECK(b.second.received == large);
}

/// Runs so many handlers; false where both are connected and have nothing to do before.
bool run_steps(asio::io_context& context, const bench& b, int steps) {
  for (; steps > 0; --steps) {
    const bool idle = context.run_one_for(std::chrono::milliseconds(20)) == 0;
    if (idle && b.connected()) return false;
  }
  return true;
}

TEST_CASE("stopping at any step completes, and the context runs out of work") {
  const auto descriptors = test::open_descriptors();
  auto options = on_loopback();
  int stride = 3;
  SUBCASE("over UDP") {}
  SUBCASE("over TCP") {
    options.ice_tcp = true;
    stride = 10;
  }
  bool busy = true;
  for (int steps = 0; busy && steps < 200; steps += stride) {
    CAPTURE(steps);
    asio::io_context context;
    bench b(context, options);
    b.negotiate();
    b.say("hello");
    busy = run_steps(context, b, steps);
    b.first.stop();
    b.second.stop();
    context.restart();
    context.run();
    CHECK(b.stopped());
  }
  CHECK(test::open_descriptors() == descriptors);
}

TEST_CASE("a driver may be dropped at any step without being stopped") {
  const auto descriptors = test::open_descriptors();
  auto options = on_loopback();
  int stride = 7;
  SUBCASE("over UDP") {}
  SUBCASE("over TCP") {
    options.ice_tcp = true;
    stride = 23;
  }
  bool busy = true;
  for (int steps = 0; busy && steps < 200; steps += stride) {
    CAPTURE(steps);
    asio::io_context context;
    bench b(context, options);
    b.negotiate();
    busy = run_steps(context, b, steps);
    b.first.other = b.second.other = nullptr;
    b.first.driver.reset();
    b.second.driver.reset();
    context.restart();
    context.run();
  }
  CHECK(test::open_descriptors() == descriptors);
}

TEST_CASE("the context may be destroyed first, at any step") {
  const auto descriptors = test::open_descriptors();
  auto options = on_loopback();
  int stride = 7;
  SUBCASE("over UDP") {}
  SUBCASE("over TCP") {
    options.ice_tcp = true;
    stride = 23;
  }
  bool busy = true;
  for (int steps = 0; busy && steps < 200; steps += stride) {
    CAPTURE(steps);
    std::unique_ptr<bench> b;
    {
      asio::io_context context;
      b = std::make_unique<bench>(context, options);
      b->negotiate();
      b->say("hello");
      busy = run_steps(context, *b, steps);
      if (steps % 2 == 0) b->first.stop();
    }
    CHECK_FALSE(b->first.driver->post([] { FAIL("ran after the end"); }));
    b->second.driver->pump();
    b.reset();
  }
  CHECK(test::open_descriptors() == descriptors);
}

TEST_CASE("a peer that hides its address behind a .local name is reached") {
  asio::io_context context;
  test::responder answering(context, "driver-test.local", "127.0.0.1");
  bench b(context);
  // The second learns nothing of the first but a name; it is not reached by address.
  b.first.rewrite = [](const ice_candidate& candidate) {
    auto hidden = candidate;
    const auto at = hidden.candidate.find("127.0.0.1");
    if (at != std::string::npos) {
      hidden.candidate.replace(at, 9, "driver-test.local");
    } else if (!hidden.candidate.empty()) {
      const auto six = hidden.candidate.find("::1");
      if (six != std::string::npos) hidden.candidate.replace(six, 3, "nobody-here.local");
    }
    return hidden;
  };
  b.second.rewrite = [](const ice_candidate&) { return ice_candidate(); };  // tells none
  b.negotiate();
  b.say("found you");
  CHECK(test::run_until(context, [&] { return b.second.received == "found you"; }));
  CHECK(answering.queries() > 0);
  b.first.stop();
  b.second.stop();
}

TEST_CASE("gathering ends although a server's name is unknown") {
  asio::io_context context;
  auto options = on_loopback();
  const auto resolver = std::make_shared<knows_nothing>(context.get_executor());
  options.resolver = resolver;
  options.stun_servers = {{"stun:stun.nowhere.test", "stun.nowhere.test", 3478}};
  bench b(context, options);
  b.negotiate();
  CHECK(test::run_until(context, [&] { return b.first.gathered && b.second.gathered; }));
  CHECK(resolver->asked == "stun.nowhere.test");
}

TEST_CASE("local ports come from the range that was asked for") {
  asio::io_context context;
  auto options = on_loopback();
  options.port_min = 40300;
  options.port_max = 40320;
  bench b(context, options);
  std::vector<std::string> seen;
  b.first.rewrite = [&](const ice_candidate& candidate) {
    if (!candidate.candidate.empty()) seen.push_back(candidate.candidate);
    return candidate;
  };
  b.negotiate();
  REQUIRE(test::run_until(context, [&] { return b.connected(); }));
  REQUIRE_FALSE(seen.empty());
  for (const auto& candidate : seen) CHECK(candidate.find(" 403") != std::string::npos);
}
