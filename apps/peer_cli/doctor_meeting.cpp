// Two peers of this process: what they gather, and how they meet.
#include "doctor.hpp"
#include "say.hpp"
#include "tuple_token.hpp"
#include "way.hpp"

#include <asiortc/candidate_pair.hpp>
#include <asiortc/ice_candidate.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sstream>
#include <utility>

namespace peer_cli {
namespace {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using std::chrono::steady_clock;

/// Long enough for a relay far away; what has not met by then will not.
constexpr std::chrono::seconds meeting_patience(15);

/// Takes the candidates of a generation; its end is the empty one.
asio::awaitable<std::vector<std::string>> gather(const asiortc::peer_connection& connection) {
  std::vector<std::string> gathered;
  const auto candidates = connection.ice_candidates();
  for (;;) {
    auto [ended, candidate] = co_await candidates.async_next(tuple_token);
    if (!candidate || candidate->candidate.empty()) co_return gathered;
    gathered.push_back(candidate->candidate);
  }
}

/// Offer and answer with all candidates in them.
asio::awaitable<void> introduce(asiortc::peer_connection& offerer,
                                asiortc::peer_connection& answerer) {
  co_await offerer.async_set_local_description(std::nullopt, asio::use_awaitable);
  co_await gather(offerer);
  auto offer = offerer.local_description();
  co_await answerer.async_set_remote_description(*offer, asio::use_awaitable);
  co_await answerer.async_set_local_description(std::nullopt, asio::use_awaitable);
  co_await gather(answerer);
  auto answer = answerer.local_description();
  co_await offerer.async_set_remote_description(*answer, asio::use_awaitable);
}

/// Whether they are connected before long; else why not.
asio::awaitable<std::string> await_connection(asio::io_context& context,
                                              const asiortc::peer_connection& connection) {
  const auto states = connection.connection_states();
  asio::steady_timer patience(context, meeting_patience);
  for (;;) {
    auto next = co_await (states.async_next(tuple_token) || patience.async_wait(tuple_token));
    if (next.index() == 1) co_return "nothing came over any pair";
    const auto& change = std::get<1>(std::get<0>(next));
    if (!change) co_return "it ended";
    if (change->state == asiortc::connection_state::connected) co_return std::string();
    if (change->state != asiortc::connection_state::failed) continue;
    if (change->detail.empty()) co_return change->reason.message();
    co_return change->detail;
  }
}

void report_table(const std::vector<asiortc::candidate_pair_info>& pairs) {
  std::istringstream lines(asiortc::format_table(pairs));
  for (std::string line; std::getline(lines, line);) report("    " + line);
}

}  // namespace

asiortc::configuration doctor::configure() const {
  asiortc::configuration config;
  config.ice_servers = working_;
  config.turn_trusted_certificates = options_.turn_trusted;
  return config;
}

asio::awaitable<void> doctor::list_candidates() {
  asiortc::peer_connection connection(context_, configure());
  const auto channel = connection.create_data_channel("doctor");
  const auto started = steady_clock::now();
  co_await connection.async_set_local_description(std::nullopt, asio::use_awaitable);
  const auto gathered = co_await gather(connection);
  report("Candidates, gathered in " + in_milliseconds(steady_clock::now() - started) + ":");
  for (const auto& candidate : gathered) report("  " + describe_candidate(candidate));
  if (gathered.empty()) report("  none");
  co_await connection.async_close(asio::use_awaitable);
}

// Through a relay where one works: then the relay carries what a peer sends to it.
asio::awaitable<void> doctor::meet() {
  auto config = configure();
  // So that they say why within our patience.
  config.timeouts.ice_failed = meeting_patience - std::chrono::seconds(2);
  asiortc::peer_connection answerer(context_, config);
  const bool relays = !found_.relay.empty() || !found_.private_relay.empty();
  if (relays) config.ice_transport_policy = asiortc::ice_transport_policy::relay;
  asiortc::peer_connection offerer(context_, config);
  const auto channel = offerer.create_data_channel("doctor");
  co_await introduce(offerer, answerer);
  const auto started = steady_clock::now();
  const std::string why_not = co_await await_connection(context_, offerer);
  const auto took = steady_clock::now() - started;
  auto pairs = co_await offerer.async_candidate_pairs(asio::use_awaitable);
  if (const auto pair = pair_in_use(pairs); pair && why_not.empty()) {
    report("Two peers of this process met in " + in_milliseconds(took) + ": " + describe(*pair));
  } else {
    report("Two peers of this process did not meet: " + why_not);
    // Without the relay something else may still work.
    if (!relays) found_.broken_meeting = why_not;
    found_.relay.clear();
    found_.private_relay.clear();
  }
  report_table(pairs);
  co_await offerer.async_close(asio::use_awaitable);
  co_await answerer.async_close(asio::use_awaitable);
}

}  // namespace peer_cli
