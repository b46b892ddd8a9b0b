// Each STUN and TURN server over each transport and address family.
#include "doctor.hpp"
#include "say.hpp"
#include "tuple_token.hpp"
#include "way.hpp"

#include <asiortc/ice_candidate.hpp>

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <locale>
#include <sstream>
#include <tuple>
#include <utility>

namespace peer_cli {
namespace {

namespace asio = boost::asio;
using asiortc::nat_behaviour;
using asiortc::stun_transport;
using namespace asio::experimental::awaitable_operators;
using std::chrono::steady_clock;

/// For an allocation over UDP; a server that is there answers within this, with packets lost.
constexpr std::chrono::seconds datagram_patience(6);
/// Over a stream, whose opening is given up after ten seconds, with words.
constexpr std::chrono::seconds stream_patience(12);

/// Knows one address, so that each family of a name is tried for itself.
class one_address final : public asiortc::name_resolver {
 public:
  one_address(asio::any_io_executor executor, asio::ip::address address)
      : executor_(std::move(executor)), address_(std::move(address)) {}

  void async_resolve(std::string, handler_type handler) override {
    const auto where = asio::get_associated_executor(handler, executor_);
    asio::post(
        executor_,
        asio::bind_executor(where, [handler = std::move(handler), address = address_]() mutable {
          std::move(handler)(boost::system::error_code(), std::vector<asio::ip::address>{address});
        }));
  }
  void cancel() override {}

 private:
  asio::any_io_executor executor_;
  asio::ip::address address_;
};

/// The host of a URL that was checked before.
std::string host_of(std::string_view url) {
  url.remove_prefix(url.find(':') + 1);
  url = url.substr(0, url.find('?'));
  if (url.starts_with('[')) return std::string(url.substr(1, url.find(']') - 1));
  return std::string(url.substr(0, url.find(':')));
}

/// The address of `192.0.2.1:5000` or `[2001:db8::1]:5000`; the unspecified one of anything else.
asio::ip::address address_of(const std::string& endpoint) {
  const bool v6 = endpoint.starts_with('[');
  const auto end = endpoint.rfind(v6 ? ']' : ':');
  if (end == std::string::npos) return {};
  boost::system::error_code malformed;
  return asio::ip::make_address(endpoint.substr(v6 ? 1 : 0, end - (v6 ? 1 : 0)), malformed);
}

/// The fifth word of a candidate is its address (RFC 8839 5.1).
asio::ip::address address_in(const std::string& candidate) {
  std::istringstream words(candidate);
  std::string word;
  for (int i = 0; i < 5; ++i) words >> word;
  boost::system::error_code malformed;
  return asio::ip::make_address(word, malformed);
}

using addresses_type = std::vector<asio::ip::address>;

/// The addresses behind a name; none and an error where there are none.
asio::awaitable<std::tuple<boost::system::error_code, addresses_type>> resolve(
    std::shared_ptr<asiortc::name_resolver> resolver, std::string host) {
  const auto initiate = [](auto handler, std::shared_ptr<asiortc::name_resolver> over,
                           std::string name) {
    over->async_resolve(std::move(name), std::move(handler));
  };
  return asio::async_initiate<decltype(tuple_token),
                              void(boost::system::error_code, addresses_type)>(
      initiate, tuple_token, std::move(resolver), std::move(host));
}

const char* name_of(stun_transport transport) {
  switch (transport) {
    case stun_transport::udp:
      return "udp";
    case stun_transport::tcp:
      return "tcp";
    case stun_transport::tls:
      break;
  }
  return "tls";
}

/// RFC 7064 has no transport in `stun:`, and RFC 7065 need not have one in `turn:`: then both.
std::vector<stun_transport> transports_of(std::string_view url) {
  if (url.starts_with("stuns:") || url.starts_with("turns:")) return {stun_transport::tls};
  if (url.ends_with("?transport=udp")) return {stun_transport::udp};
  if (url.ends_with("?transport=tcp")) return {stun_transport::tcp};
  return {stun_transport::udp, stun_transport::tcp};
}

int worth(const asiortc::stun_probe_result& seen) {
  return (seen.mapping != nat_behaviour::unknown ? 2 : 0) +
         (seen.filtering != nat_behaviour::unknown ? 1 : 0);
}

}  // namespace

asio::awaitable<std::vector<server_under_test>> doctor::plan(asiortc::ice_server server) {
  const std::string url = server.urls.front();
  std::vector<server_under_test> tests;
  const std::string host = host_of(url);
  auto [error, addresses] = co_await resolve(resolver_, host);
  if (error) report("  " + url + ": " + host + ": " + error.message());
  // RFC 3986 3.1: schemes, and here transports too, may be in any case.
  const std::string lower = boost::algorithm::to_lower_copy(url, std::locale::classic());
  for (const auto transport : transports_of(lower)) {
    for (const bool v6 : {false, true}) {
      const auto fits = std::find_if(addresses.begin(), addresses.end(),
                                     [v6](const auto& each) { return each.is_v6() == v6; });
      if (fits == addresses.end()) continue;
      server_under_test test;
      test.server = server;
      if (transport == stun_transport::tcp && lower.starts_with("turn:") &&
          !lower.ends_with("=tcp")) {
        test.server.urls.front() += "?transport=tcp";
      }
      test.transport = transport;
      test.address = *fits;
      const bool dtls = lower.starts_with("turns:") && lower.ends_with("=udp");
      test.shown =
          url + " over " + (dtls ? "dtls" : name_of(transport)) + (v6 ? ", IPv6" : ", IPv4");
      if (fits->to_string() != host) test.shown += " (" + fits->to_string() + ")";
      tests.push_back(std::move(test));
    }
  }
  co_return tests;
}

asio::awaitable<void> doctor::ask_stun_servers() {
  if (!stun_.empty()) report("STUN:");
  for (const auto& server : stun_) {
    bool over_udp = false;
    auto tests = co_await plan(server);
    for (const auto& test : tests) {
      const bool answered = co_await ask_stun(test);
      over_udp = over_udp || (answered && test.transport == stun_transport::udp);
    }
    if (over_udp) working_.push_back(server);
  }
}

asio::awaitable<bool> doctor::ask_stun(server_under_test test) {
  const bool udp = test.transport == stun_transport::udp;
  asiortc::stun_probe_options how;
  how.transport = test.transport;
  how.ipv6 = test.address.is_v6();
  how.trusted_certificates = options_.turn_trusted;
  how.resolver = std::make_shared<one_address>(context_.get_executor(), test.address);
  auto [error, seen] = co_await asiortc::async_probe_stun(
      context_.get_executor(), test.server.urls.front(), how, tuple_token);
  found_.udp_was_tried = found_.udp_was_tried || udp;
  if (error) {
    report("  " + test.shown + ": " + seen.detail);
    co_return false;
  }
  report("  " + test.shown + ": answered in " + in_milliseconds(seen.answer_time) +
         (udp ? ", sees us as " + seen.mapped_address : ""));
  if (udp) {
    found_.udp_works = true;
    note_nat(seen, test.address.is_v6());
  }
  co_return true;
}

void doctor::note_nat(const asiortc::stun_probe_result& seen, bool ipv6) {
  auto& best = ipv6 ? found_.ipv6 : found_.ipv4;
  if (!is_public(address_of(seen.mapped_address))) {
    found_.private_view = seen.mapped_address;
  } else if (!best || worth(seen) > worth(*best)) {
    best = seen;
  }
  const std::string what = seen.translated ? "a NAT" : "no NAT";
  if (!seen.has_other_address) {
    return report("    " + what +
                  "; its behaviour cannot be told: the server has no second address "
                  "(RFC 5780)");
  }
  report("    " + what + "; mapping: " + std::string(to_string(seen.mapping)) +
         "; filtering: " + std::string(to_string(seen.filtering)));
}

asio::awaitable<void> doctor::ask_turn_servers() {
  if (!turn_.empty()) report("TURN:");
  for (const auto& server : turn_) {
    auto tests = co_await plan(server);
    for (const auto& test : tests) {
      const bool relays = co_await ask_turn(test);
      if (relays) working_.push_back(test.server);
    }
  }
}

// Through a connection of its own, as any program would.
asio::awaitable<bool> doctor::ask_turn(server_under_test test) {
  const bool udp = test.transport == stun_transport::udp;
  asiortc::configuration config;
  config.ice_transport_policy = asiortc::ice_transport_policy::relay;
  config.turn_trusted_certificates = options_.turn_trusted;
  config.resolver = std::make_shared<one_address>(context_.get_executor(), test.address);
  config.ice_servers.push_back(test.server);
  asiortc::peer_connection connection(context_, config);
  const auto channel = connection.create_data_channel("doctor");
  const auto started = steady_clock::now();
  co_await connection.async_set_local_description(std::nullopt, asio::use_awaitable);
  const auto candidates = connection.ice_candidates();
  asio::steady_timer patience(context_, udp ? datagram_patience : stream_patience);
  std::string relayed;
  bool waiting = true;
  while (waiting && relayed.empty()) {
    auto next = co_await (candidates.async_next(tuple_token) || patience.async_wait(tuple_token));
    if (next.index() == 1) break;
    const auto& candidate = std::get<1>(std::get<0>(next));
    // An empty one is the end of gathering.
    waiting = candidate && !candidate->candidate.empty();
    if (waiting && candidate->candidate.find(" typ relay") != std::string::npos) {
      relayed = candidate->candidate;
    }
  }
  const auto took = steady_clock::now() - started;
  // The words are the library's, and name the server and its code.
  const auto error = connection.ice_candidate_errors().try_next();
  if (!relayed.empty()) {
    const bool lends_public = is_public(address_in(relayed));
    auto& relay = lends_public ? found_.relay : found_.private_relay;
    if (relay.empty()) relay = test.server.urls.front();
    report("  " + test.shown + ": works, " + describe_candidate(relayed) +
           (lends_public ? " in " : ", which is not public, in ") + in_milliseconds(took));
  } else {
    report("  " + test.shown + ": " + (error ? error->text : "no answer"));
  }
  const bool answered = !relayed.empty() || (error && error->code != error->not_reached);
  found_.udp_was_tried = found_.udp_was_tried || udp;
  found_.udp_works = found_.udp_works || (udp && answered);
  co_await connection.async_close(asio::use_awaitable);
  co_return !relayed.empty();
}

}  // namespace peer_cli
