// Addresses that come and go, in a network namespace of this process's own.
#include "net/mux_support.hpp"
#include "net/own_network.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <dlfcn.h>
#include <ifaddrs.h>
#include <string>

namespace {

std::atomic<int> looks = 0;
std::atomic<bool> refusing = false;

}  // namespace

/// The kernel's list, as our library asks for it; refused as without a descriptor.
extern "C" int getifaddrs(ifaddrs** list) noexcept {
  ++looks;
  if (refusing) {
    errno = EMFILE;
    return -1;
  }
  using function = int (*)(ifaddrs**);
  static const auto real = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "getifaddrs"));
  return real(list);
}

namespace asiortc::test {
namespace {

/// Peers of a mux, and such that have their own sockets, all on all addresses.
struct talkers {
  talkers(asio::io_context& context, const std::shared_ptr<udp_mux>& mux)
      : pair(context.get_executor(), through(mux), configuration()),
        channel(pair.first.create_data_channel("talk")) {
    asio::co_spawn(context, echo(pair.second), [](std::exception_ptr) {});
  }

  asio::awaitable<void> talk() {
    co_await channel.async_open();
    co_await channel.async_send(std::string("heard?"));
    auto received = co_await channel.async_receive();
    REQUIRE(received.has_value());
  }

  peer_pair pair;
  data_channel channel;
};

asio::awaitable<void> change_for_long(own_network& network) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < end) {
    network.add(2);
    network.remove(2);
    timer.expires_after(std::chrono::milliseconds(5));
    co_await timer.async_wait(asio::use_awaitable);
  }
}

bool tells(const peer_connection& peer, const std::string& address) {
  return peer.local_description()->sdp.find(address) != std::string::npos;
}

/// Talks while the system refuses, and until both have the address after it.
asio::awaitable<void> talk_through_refusals(own_network& network, talkers& some) {
  const peer_connection& first = some.pair.first;
  const peer_connection& second = some.pair.second;
  const auto address = own_network::address_of(3);
  refusing = true;
  looks = 0;
  network.add(3);
  while (looks < 2) co_await some.talk();
  CHECK_FALSE(tells(first, address));
  refusing = false;
  while (!tells(first, address) || !tells(second, address)) co_await some.talk();
}

/// Over time a peer has more addresses than it may have at once.
asio::awaitable<void> change_often(own_network& network, talkers& some) {
  constexpr int at_once = 12;
  for (int first = 10; first < 10 + 7 * at_once; first += at_once) {
    for (int i = 0; i < at_once; ++i) network.add(first + i);
    const auto last = own_network::address_of(first + at_once - 1);
    while (!tells(some.pair.second, last)) co_await some.talk();
    for (int i = 0; i < at_once; ++i) network.remove(first + i);
  }
}

}  // namespace

TEST_CASE("peers outlive changes of the interfaces") {
  own_network network;
  network.add(1);
  asio::io_context context(1);
  const auto mux = std::make_shared<udp_mux>(context.get_executor());
  std::deque<talkers> all;
  for (int i = 0; i < 8; ++i) run(context, all.emplace_back(context, mux).talk());

  // Changes without end are looked at once for all peers, and ever more seldom.
  looks = 0;
  run(context, change_for_long(network));
  CHECK(looks >= 1);
  CHECK(looks <= 8);
  for (auto& each : all) run(context, each.talk());

  // That the system does not tell its addresses is no sign that they are gone.
  run(context, talk_through_refusals(network, all.front()));

  run(context, change_often(network, all.front()));
  for (auto& each : all) {
    CHECK(each.pair.first.connection_state() == connection_state::connected);
    run(context, each.talk());
    run(context, close_pair(each.pair));
  }
}

}  // namespace asiortc::test
