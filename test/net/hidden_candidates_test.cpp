// Peers that hide their addresses behind mDNS names, with everything that they tell written down.
#include "io/interfaces.hpp"
#include "net/peer_pair.hpp"
#include "net/tapped_pipe.hpp"
#include "support/process_counts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace asiortc::test {
namespace {

std::shared_ptr<signaling_pipe> copy_into(std::vector<std::string>& told,
                                          std::shared_ptr<signaling_pipe> end) {
  return std::make_shared<tapped_pipe>(std::move(end), [&told](const peer_signal& value) {
    const auto* description = std::get_if<session_description>(&value);
    told.push_back(description != nullptr ? description->sdp
                                          : std::get<ice_candidate>(value).candidate);
    return true;
  });
}

struct hiding_pair {
  explicit hiding_pair(asio::io_context& context, const configuration& config)
      : hiding_pair(context, config, make_signaling_pipe_pair(context.get_executor())) {}

  std::vector<std::string> told;  // before what writes into it
  peer_connection first;
  peer_connection second;
  negotiation first_session;
  negotiation second_session;

 private:
  using pipe_ptr = std::shared_ptr<signaling_pipe>;
  hiding_pair(asio::io_context& context, const configuration& config,
              const std::pair<pipe_ptr, pipe_ptr>& ends)
      : first(context, config),
        second(context, config),
        first_session(negotiate(first, copy_into(told, ends.first))),
        second_session(negotiate(second, copy_into(told, ends.second))) {}
};

/// The words of each candidate in the text, from the foundation on.
std::vector<std::vector<std::string>> candidates_of(const std::string& text) {
  std::vector<std::vector<std::string>> found;
  constexpr std::string_view mark = "candidate:";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    std::istringstream line(text.substr(at + mark.size(), text.find('\r', at) - at));
    auto& words = found.emplace_back();
    for (std::string word; line >> word;) words.push_back(word);
  }
  return found;
}

asio::awaitable<void> talk(peer_connection& first, peer_connection& second) {
  auto channel = first.create_data_channel("hidden");
  co_await channel.async_open();
  auto others = second.data_channels();
  auto other = co_await others.async_next();
  std::string text("over names");
  co_await channel.async_send(std::move(text));
  auto received = co_await other->async_receive();
  REQUIRE(received.has_value());
  CHECK(received->text() == "over names");
  co_await close_both(first, second);
}

std::size_t check_all_hidden(const std::vector<std::string>& told) {
  std::size_t names = 0;
  const auto own = io::list_system_addresses();
  for (const auto& text : told) {
    CAPTURE(text);
    for (const auto& each : own) {
      // The o= line says 127.0.0.1 for nothing (RFC 9429 5.2.1).
      if (each.loopback) continue;
      CHECK(text.find(each.address.to_string()) == std::string::npos);
    }
    for (const auto& words : candidates_of(text)) {
      REQUIRE(words.size() > 7);
      CHECK(words[4].ends_with(".local"));
      CHECK(words[4].size() == 36 + 6);
      CHECK(words[7] == "host");
      ++names;
    }
  }
  return names;
}

}  // namespace

TEST_CASE("two peers that tell nothing but names connect and talk") {
  asio::io_context context;
  const asio::steady_timer opens_the_reactor(context);
  const auto descriptors = open_descriptors();
  {
    configuration config;
    config.mdns_candidates = mdns_candidates::hide;
    hiding_pair pair(context, config);
    run(context, talk(pair.first, pair.second));
    CHECK(check_all_hidden(pair.told) >= 2);
  }
  context.restart();
  context.run();
  CHECK(open_descriptors() == descriptors);
}

TEST_CASE("the peers of a context answer for one name an address, and hide it in their own view") {
  asio::io_context context;
  configuration config;
  config.mdns_candidates = mdns_candidates::hide;
  hiding_pair pair(context, config);
  run(context, [](hiding_pair& of) -> asio::awaitable<void> {
    auto channel = of.first.create_data_channel("hidden");
    co_await channel.async_open();
    const auto selected = of.first.selected_candidate_pair();
    REQUIRE(selected.has_value());
    CHECK(selected->local.address.ends_with(".local"));
    co_await close_both(of.first, of.second);
  }(pair));
  std::vector<std::string> names;
  for (const auto& text : pair.told) {
    for (const auto& words : candidates_of(text)) names.push_back(words.at(4));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const auto used =
      io::select_addresses(io::list_system_addresses(), {}, io::find_default_addresses());
  CHECK(names.size() == used.size());
}

TEST_CASE("an external address is told, and no name beside it") {
  asio::io_context context;
  configuration config;
  config.mdns_candidates = mdns_candidates::hide;
  config.external_addresses.emplace_back("198.51.100.1");
  config.external_addresses.emplace_back("2001:db8::1");
  peer_connection peer(context, config);
  run(context, [](peer_connection& of) -> asio::awaitable<void> {
    auto channel = of.create_data_channel("external");
    co_await of.async_set_local_description();
    auto stream = of.ice_candidates();
    for (;;) {
      auto told = co_await stream.async_next();
      if (!told || told->candidate.empty()) break;
      CHECK(told->candidate.find(".local") == std::string::npos);
    }
    co_await of.async_close();
  }(peer));
}

}  // namespace asiortc::test
