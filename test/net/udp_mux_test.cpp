// Peers that share one UDP port, over real sockets on loopback.
#include "crypto/random.hpp"
#include "ice/check_message.hpp"
#include "net/mux_support.hpp"
#include "support/process_counts.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <string>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

/// So many calls find the kernel's buffer full, which loopback's never is.
std::atomic<int> full_calls = 0;

}  // namespace

extern "C" int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  if (full_calls > 0 && full_calls.fetch_sub(1) > 0) {
    errno = EAGAIN;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_sendmmsg, fd, messages, count, flags));
}

namespace asiortc::test {
namespace {

const std::vector<std::string> loopbacks{"127.0.0.1", "::1"};

asio::awaitable<void> converse(peer_pair& pair, std::string name) {
  asio::co_spawn(pair.second.get_executor(), echo(pair.second), [](std::exception_ptr) {});
  co_await exchange(pair.first, std::move(name), 5);
}

asio::awaitable<void> converse_and_close(peer_pair& pair, std::string name) {
  co_await converse(pair, std::move(name));
  co_await close_pair(pair);
}

/// All at once; returns when all are done.
void run_all(asio::io_context& context, std::deque<peer_pair>& pairs,
             asio::awaitable<void> (*body)(peer_pair&, std::string)) {
  std::size_t done = 0;
  for (auto& pair : pairs) {
    asio::co_spawn(context, body(pair, "pair " + std::to_string(&pair - &pairs.front())),
                   [&](std::exception_ptr thrown) {
                     CHECK_FALSE(thrown);
                     ++done;
                   });
  }
  context.restart();
  while (done < pairs.size() && context.run_one() != 0) {
  }
  CHECK(done == pairs.size());
}

/// The reactor and what else a context has once.
std::size_t descriptors_of(asio::io_context& context) {
  warm_up(context);
  return open_descriptors();
}

}  // namespace

TEST_CASE("two peers talk, each through a mux of its own, over IPv4 and IPv6") {
  for (const auto& address : loopbacks) {
    CAPTURE(address);
    asio::io_context context;
    const auto descriptors = descriptors_of(context);
    auto one = make_mux(context.get_executor(), address);
    auto two = make_mux(context.get_executor(), address);
    CHECK(one->port() != 0);
    CHECK(one->port() != two->port());
    REQUIRE(one->local_endpoints().size() == 1);
    CHECK(one->local_endpoints()[0].address().to_string() == address);
    CHECK(one->local_endpoints()[0].port() == one->port());
    {
      peer_pair pair(context.get_executor(), through(one), through(two));
      run(context, converse(pair, "hello"));
      const auto selected = pair.first.selected_candidate_pair();
      REQUIRE(selected.has_value());
      CHECK(selected->local.port == one->port());
      CHECK(selected->remote.port == two->port());
      CHECK(one->counters().peers == 1);
      CHECK(one->counters().remote_addresses == 1);
      run(context, close_pair(pair));
      CHECK(one->counters().peers == 0);
      CHECK(one->counters().remote_addresses == 0);
      // A mux without peers has nothing to wait for.
      context.restart();
      context.run();
    }
    one.reset();
    two.reset();
    context.restart();
    context.run();
    CHECK(open_descriptors() == descriptors);
  }
}

TEST_CASE("many peers on one port talk to peers with ports of their own, and to each other") {
  for (const auto& address : loopbacks) {
    CAPTURE(address);
    asio::io_context context;
    const auto descriptors = descriptors_of(context);
    {
      const auto mux = make_mux(context.get_executor(), address);
      std::deque<peer_pair> pairs;
      for (int i = 0; i < 12; ++i) {
        const auto other = i % 2 == 0 ? on_address(address) : through(mux);
        pairs.emplace_back(context.get_executor(), through(mux), other);
      }
      run_all(context, pairs, converse);
      for (auto& pair : pairs) {
        REQUIRE(pair.first.selected_candidate_pair().has_value());
        CHECK(pair.first.selected_candidate_pair()->local.port == mux->port());
      }
      CHECK(mux->counters().peers == 18);
      CHECK(mux->counters().conflicts_dropped == 0);
      std::size_t closed = 0;
      for (auto& pair : pairs) {
        asio::co_spawn(context, close_pair(pair), [&](std::exception_ptr) { ++closed; });
      }
      context.restart();
      context.run();
      CHECK(closed == pairs.size());
    }
    context.restart();
    context.run();
    CHECK(open_descriptors() == descriptors);
  }
}

TEST_CASE("a mux on all interfaces has one port on each address") {
  asio::io_context context;
  const auto mux = std::make_shared<udp_mux>(context.get_executor());
  REQUIRE_FALSE(mux->local_endpoints().empty());
  for (const auto& endpoint : mux->local_endpoints()) CHECK(endpoint.port() == mux->port());
  peer_pair pair(context.get_executor(), through(mux), configuration());
  run(context, converse_and_close(pair, "anywhere"));
}

namespace {

asio::awaitable<void> restart_while_talking(peer_pair& pair) {
  asio::co_spawn(pair.second.get_executor(), echo(pair.second), [](std::exception_ptr) {});
  auto channel = pair.first.create_data_channel("talk");
  co_await channel.async_open();
  const auto ufrag = [&] {
    const auto sdp = pair.first.local_description()->sdp;
    return sdp.substr(sdp.find("a=ice-ufrag:"), 20);
  };
  for (int round = 0; round < 3; ++round) {
    const auto before = ufrag();
    pair.first.restart_ice();
    for (int i = 0; ufrag() == before || i < 20; ++i) {
      std::string text = std::to_string(i);
      std::string expected = text;
      co_await channel.async_send(std::move(text));
      auto received = co_await channel.async_receive();
      REQUIRE(received.has_value());
      CHECK(received->text() == expected);
    }
  }
  co_await close_pair(pair);
}

}  // namespace

TEST_CASE("an ICE restart through a mux loses nothing") {
  asio::io_context context;
  const auto mux = make_mux(context.get_executor(), "127.0.0.1");
  peer_pair apart(context.get_executor(), through(mux), on_address("127.0.0.1"));
  run(context, restart_while_talking(apart));
  peer_pair together(context.get_executor(), through(mux), through(mux));
  run(context, restart_while_talking(together));
}

namespace {

asio::awaitable<void> until_ended(peer_connection& peer) {
  auto states = peer.connection_states();
  while (peer.connection_state() != connection_state::failed) {
    auto change = co_await states.async_next();
    REQUIRE(change.has_value());
  }
}

configuration impatient(configuration config) {
  config.timeouts.ice_failed = std::chrono::milliseconds(1000);
  config.timeouts.no_candidates_grace = std::chrono::milliseconds(200);
  config.timeouts.disconnected = std::chrono::milliseconds(200);
  config.timeouts.consent = std::chrono::milliseconds(1000);
  config.timeouts.consent_interval = std::chrono::milliseconds(100);
  return config;
}

}  // namespace

TEST_CASE("a mux that is closed takes the sockets from its peers, and is refused from then on") {
  asio::io_context context;
  const auto descriptors = descriptors_of(context);
  {
    const auto mux = make_mux(context.get_executor(), "127.0.0.1");
    peer_pair pair(context.get_executor(), impatient(through(mux)),
                   impatient(on_address("127.0.0.1")));
    run(context, converse(pair, "before the end"));
    mux->close();
    mux->close();
    CHECK_FALSE(mux->is_open());
    CHECK_THROWS_WITH_AS(peer_connection(context, through(mux)),
                         doctest::Contains("configuration.udp_mux"), error);
    run(context, until_ended(pair.first));
    run(context, until_ended(pair.second));
    CHECK(mux->local_endpoints().empty());
    CHECK(mux->port() != 0);
    pair.first.close();
    pair.second.close();
    context.restart();
    context.run();
    CHECK(mux->counters().peers == 0);
    CHECK(open_descriptors() == descriptors);
  }
}

TEST_CASE("peers keep their mux, and the last of them closes it") {
  asio::io_context context;
  const auto descriptors = descriptors_of(context);
  {
    auto mux = make_mux(context.get_executor(), "127.0.0.1");
    peer_pair pair(context.get_executor(), through(mux), through(mux));
    mux.reset();
    run(context, converse(pair, "without the owner"));
  }
  context.restart();
  context.run();
  CHECK(open_descriptors() == descriptors);
}

TEST_CASE("the context may be destroyed before mux and peers, at any point") {
  const auto descriptors = open_descriptors();
  for (int steps = 0; steps < 200; steps += 1 + steps / 8) {
    CAPTURE(steps);
    auto context = std::make_unique<asio::io_context>();
    auto mux = make_mux(context->get_executor(), "127.0.0.1");
    auto apart =
        std::make_unique<peer_pair>(context->get_executor(), through(mux), on_address("127.0.0.1"));
    auto together =
        std::make_unique<peer_pair>(context->get_executor(), through(mux), through(mux));
    asio::co_spawn(*context, exchange(apart->first, "apart", 3), [](std::exception_ptr) {});
    asio::co_spawn(*context, exchange(together->first, "both", 3), [](std::exception_ptr) {});
    for (int i = 0; i < steps; ++i) context->run_one_for(std::chrono::milliseconds(20));
    context.reset();
    CHECK_FALSE(mux->is_open());
    CHECK(mux->local_endpoints().empty());
    if (steps % 2 == 0) mux.reset();
  }
  CHECK(open_descriptors() == descriptors);
}

TEST_CASE("a mux and its peers may live on contexts and threads of their own, either going first") {
  const auto descriptors = open_descriptors();
  for (const bool mux_first : {true, false}) {
    CAPTURE(mux_first);
    auto of_mux = std::make_unique<asio::io_context>();
    auto of_peers = std::make_unique<asio::io_context>();
    auto kept = asio::make_work_guard(*of_mux);
    auto busy = asio::make_work_guard(*of_peers);
    auto mux = make_mux(of_mux->get_executor(), "127.0.0.1");
    std::vector<std::thread> threads;
    threads.emplace_back([&] { of_mux->run(); });
    threads.emplace_back([&] { of_peers->run(); });
    threads.emplace_back([&] { of_peers->run(); });
    {
      std::deque<peer_pair> pairs;
      std::vector<std::future<void>> done;
      for (int i = 0; i < 6; ++i) {
        // A strand each, since a pair's coroutines and signaling share it.
        const asio::any_io_executor strand = asio::make_strand(*of_peers);
        auto& pair = pairs.emplace_back(strand, through(mux),
                                        i % 2 == 0 ? through(mux) : on_address("127.0.0.1"));
        done.push_back(asio::co_spawn(strand, converse(pair, "threads"), asio::use_future));
      }
      for (auto& each : done) each.get();
      CHECK(mux->counters().peers == 9);
      if (mux_first) {
        kept.reset();
        of_mux->stop();
        threads.front().join();
        of_mux.reset();
        CHECK_FALSE(mux->is_open());
      }
    }
    busy.reset();
    of_peers->stop();
    for (auto& each : threads) {
      if (each.joinable() && &each != &threads.front()) each.join();
    }
    of_peers.reset();
    if (!mux_first) {
      mux.reset();
      kept.reset();
      of_mux->stop();
      threads.front().join();
      of_mux.reset();
    }
    mux.reset();
    CHECK(open_descriptors() == descriptors);
  }
}

TEST_CASE("what is nobody's is dropped and counted, and the peers go on talking") {
  asio::io_context context;
  const auto mux = make_mux(context.get_executor(), "127.0.0.1");
  peer_pair pair(context.get_executor(), through(mux), on_address("127.0.0.1"));
  run(context, converse(pair, "before the flood"));
  const auto before = mux->counters();
  asio::ip::udp::socket stranger(context, {asio::ip::address_v4::loopback(), 0});
  const auto target = mux->local_endpoints().front();
  const std::vector<std::string> garbage{"",
                                         std::string("\x16\xfe\xfd\0\0\0", 6),
                                         std::string("\0\1\0\0", 4),
                                         std::string(1400, 'x'),
                                         std::string("\0\1\0\0\x21\x12\xa4\x42"
                                                     "123456789012",
                                                     20),
                                         std::string(300, '\x80')};
  constexpr std::size_t count = 20000;
  for (std::size_t i = 0; i < count; ++i) {
    stranger.send_to(asio::buffer(garbage[i % garbage.size()]), target);
    if (i % 50 == 0) context.poll();  // else the socket's own buffer drops them
  }
  run(context, converse(pair, "in the flood"));
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (mux->counters().unknown_dropped < before.unknown_dropped + count &&
         context.run_one_until(give_up) != 0) {
  }
  CHECK(mux->counters().unknown_dropped == before.unknown_dropped + count);
  CHECK(mux->counters().remote_addresses == before.remote_addresses);
  run(context, close_pair(pair));
}

namespace {

std::string value_of(const session_description& description, const std::string& attribute) {
  const auto start = description.sdp.find(attribute) + attribute.size();
  return description.sdp.substr(start, description.sdp.find('\r', start) - start);
}

}  // namespace

TEST_CASE("who knows a fragment, and sends from many addresses, changes nothing") {
  asio::io_context context;
  const auto mux = make_mux(context.get_executor(), "127.0.0.1");
  peer_pair pair(context.get_executor(), through(mux), on_address("127.0.0.1"));
  run(context, converse(pair, "before"));
  const auto before = mux->counters();
  ice::credentials known;
  known.ufrag = value_of(*pair.first.local_description(), "a=ice-ufrag:");
  known.password = "not the password that it has";
  ice::credentials own;
  own.ufrag = value_of(*pair.second.local_description(), "a=ice-ufrag:");
  for (int i = 0; i < 100; ++i) {
    asio::ip::udp::socket stranger(context, {asio::ip::address_v4::loopback(), 0});
    ice::check_request request;
    request.id = ice::make_transaction_id(crypto::system_random());
    const auto check = ice::build_check(request, own, known);
    for (int j = 0; j < 10; ++j) {
      stranger.send_to(asio::buffer(check), mux->local_endpoints().front());
    }
    context.poll();
  }
  run(context, converse(pair, "after"));
  CHECK(mux->counters().remote_addresses == 1);
  CHECK(mux->counters().unknown_dropped == before.unknown_dropped);
  CHECK(mux->counters().conflicts_dropped == 0);
  run(context, close_pair(pair));
}

TEST_CASE("between two muxes one pair of addresses carries one connection, and a second fails") {
  asio::io_context context;
  const auto one = make_mux(context.get_executor(), "127.0.0.1");
  const auto two = make_mux(context.get_executor(), "127.0.0.1");
  peer_pair first(context.get_executor(), through(one), through(two));
  run(context, converse(first, "the first"));
  peer_pair second(context.get_executor(), impatient(through(one)), impatient(through(two)));
  const auto channel = second.first.create_data_channel("never");
  run(context, until_ended(second.first));
  run(context, until_ended(second.second));
  CHECK(one->counters().conflicts_dropped + two->counters().conflicts_dropped > 0);
  run(context, converse(first, "goes on"));
  run(context, close_pair(second));
  run(context, close_pair(first));
  peer_pair third(context.get_executor(), through(one), through(two));
  run(context, converse_and_close(third, "the next"));
}

TEST_CASE("while the kernel takes no more all peers wait, and lose nothing") {
  asio::io_context context;
  const auto mux = make_mux(context.get_executor(), "127.0.0.1");
  std::deque<peer_pair> pairs;
  for (int i = 0; i < 4; ++i) {
    pairs.emplace_back(context.get_executor(), through(mux), on_address("127.0.0.1"));
  }
  run_all(context, pairs, converse);
  full_calls = 60;
  run_all(context, pairs, converse);
  CHECK(full_calls <= 0);
  full_calls = 0;
  run_all(context, pairs, [](peer_pair& pair, std::string) { return close_pair(pair); });
}

TEST_CASE("what a mux cannot be made of is refused by name") {
  asio::io_context context;
  const auto executor = context.get_executor();
  const auto descriptors = descriptors_of(context);
  udp_mux_options options;
  options.addresses = {"localhost"};
  CHECK_THROWS_WITH_AS(udp_mux(executor, options), doctest::Contains("\"localhost\""), error);
  options.addresses = {"0.0.0.0"};
  CHECK_THROWS_WITH_AS(udp_mux(executor, options), doctest::Contains("0.0.0.0"), error);
  options.addresses = {"192.0.2.1"};  // RFC 5737: nobody's
  CHECK_THROWS_WITH_AS(udp_mux(executor, options), doctest::Contains("192.0.2.1"), error);
  options.addresses.assign(17, "127.0.0.1");
  CHECK_THROWS_AS(udp_mux(executor, options), error);
  udp_mux_options none;
  none.interface_filter = [](const interface_address&) { return false; };
  CHECK_THROWS_AS(udp_mux(executor, none), error);
  const auto first = make_mux(executor, "127.0.0.1");
  options.addresses = {"127.0.0.1"};
  options.port = first->port();
  try {
    const udp_mux second(executor, options);
    FAIL("the port is taken");
  } catch (const error& refused) {
    CHECK(refused.code() == asio::error::address_in_use);
    CHECK(std::string(refused.what()).find(std::to_string(options.port)) != std::string::npos);
  }
  CHECK(open_descriptors() == descriptors + 1);
}

}  // namespace asiortc::test
