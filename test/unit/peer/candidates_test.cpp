// Candidates given by the user and told to the user.
#include "unit/peer/fixture.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {
namespace {

const std::string host_line = "candidate:1 1 udp 2122260223 192.0.2.7 5000 typ host";
const std::string hidden = "candidate:1 1 udp 2122260223 4a7f.local 5000 typ host";

}  // namespace

TEST_CASE("a candidate needs a remote description and a section") {
  lone_peer peer;
  CHECK(failure_of(peer.add(host_line, "0")).code == errc::invalid_state);
  REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
  CHECK(failure_of(peer.add(host_line, std::nullopt)).code == errc::type_error);
  CHECK(failure_of(peer.add(host_line, "9")).code == errc::operation_error);
  CHECK(failure_of(peer.add(host_line, std::nullopt, std::uint16_t{1})).code ==
        errc::operation_error);
  CHECK(peer.add(host_line, "0"));
  CHECK(peer.add(host_line, std::nullopt, std::uint16_t{0}));
  CHECK(peer.add(host_line, "0", std::uint16_t{7}));  // the mid wins
  CHECK(peer.add(host_line, "", std::uint16_t{0}));   // none
  CHECK(failure_of(peer.add(host_line, "")).code == errc::type_error);
  const auto text = peer->pending_remote_description()->sdp;
  CHECK(count_of(text, "a=candidate:1 1 udp 2122260223 192.0.2.7 5000 typ host") == 1);
}

TEST_CASE("a candidate is read with and without its prefix, and what is unknown is ignored") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
  CHECK(peer.add(host_line.substr(10), "0"));
  CHECK(peer.add("a=" + host_line, "0"));
  CHECK(peer.add("candidate:1 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active", "0"));
  CHECK(peer.add("candidate:1 2 udp 2122260222 192.0.2.7 5001 typ host", "0"));
  CHECK(peer.add("candidate:1 1 udp 2122260223 192.0.2.7 5000 typ future", "0"));
  CHECK(failure_of(peer.add("candidate:nonsense", "0")).code == errc::syntax_error);
  REQUIRE(peer.set_local());
  peer.gather();
  CHECK(peer->candidate_pairs(start).size() == 1);
}

TEST_CASE("a candidate of an old generation is refused") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
  REQUIRE(peer.set_local());
  CHECK(failure_of(peer.add(host_line + " ufrag olde", "0")).code == errc::operation_error);
  CHECK(peer.add(host_line + " ufrag Zx4k", "0"));
  ice_candidate named;
  named.candidate = host_line;
  named.sdp_mid = "0";
  named.username_fragment = "olde";
  CHECK(failure_of(peer->add_ice_candidate(start, named)).code == errc::operation_error);
  REQUIRE(peer.set_remote(sdp_type::offer, replace(data_sdp(), "Zx4k", "Next")));
  CHECK(peer.add(host_line + " ufrag Zx4k", "0"));  // still current
  CHECK(peer.add(host_line + " ufrag Next", "0"));
  REQUIRE(peer.set_local());
  CHECK(failure_of(peer.add(host_line + " ufrag Zx4k", "0")).code == errc::operation_error);
}

TEST_CASE("an empty candidate ends the candidates, with and without a section") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
  CHECK(failure_of(peer.add("", "9")).code == errc::operation_error);
  CHECK(peer.add("", "0"));
  CHECK(peer.add("", std::nullopt));
  CHECK(count_of(peer->pending_remote_description()->sdp, "a=end-of-candidates\r\n") == 1);
}

TEST_CASE("candidates given before the answer are used after it") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
  CHECK(peer.add(host_line, "0"));
  CHECK(peer->candidate_pairs(start).empty());
  REQUIRE(peer.set_local());
  peer.gather();
  CHECK(peer->candidate_pairs(start).size() == 1);
}

TEST_CASE("a hidden candidate is resolved outside, before the answer or after") {
  for (const bool early : {true, false}) {
    lone_peer peer;
    REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
    REQUIRE(peer.add(hidden, "0"));
    REQUIRE(peer.add(hidden, "0"));
    REQUIRE(peer.lookups().size() == 1);
    CHECK(peer.lookups()[0].name == "4a7f.local");
    const std::vector addresses{*base::ip_address::parse("192.0.2.9")};
    const auto resolve = [&] { peer->name_resolved(start, peer.lookups()[0].token, addresses); };
    if (early) resolve();
    REQUIRE(peer.set_local());
    peer.gather();
    if (!early) resolve();
    REQUIRE(peer->candidate_pairs(start).size() == 1);
    CHECK(peer->candidate_pairs(start)[0].remote.address == "4a7f.local");
    resolve();  // an answer twice
    peer->name_resolved(start, 999, addresses);
    CHECK(peer->candidate_pairs(start).size() == 1);
  }
}

TEST_CASE(
    "TCP candidates that listen are taken if wanted, and a TURN server is not asked from TCP") {
  peer::settings settings;
  SUBCASE("wanted") { settings.ice.tcp = true; }
  SUBCASE("not wanted") {}
  lone_peer peer(1, settings);
  REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
  CHECK(peer.add("candidate:1 1 tcp 5 192.0.2.7 5000 typ host tcptype passive", "0"));
  CHECK(peer.add("candidate:1 1 tcp 5 192.0.2.7 9 typ host tcptype active", "0"));
  CHECK(peer.add("candidate:1 1 tcp 5 4a7f.local 5000 typ host tcptype passive", "0"));
  CHECK(peer.add(hidden, "0"));  // of the same name and port
  REQUIRE(peer.set_local());
  const auto address = *base::ip_address::parse("192.0.2.1");
  const auto id = base::socket_id{77};
  peer->add_local_socket(start, {id, {address, 0}, 1, {}, ice::tcp_type::active});
  peer->add_turn_server(start, {{*base::ip_address::parse("192.0.2.99"), 3478}, "u", "p", "t", {}});
  base::packet_batch sent;
  while (peer->poll_transmit(start, sent)) {
  }
  for (const auto& packet : sent.entries()) CHECK(packet.to.remote.port == 5000);
  peer.drain();
  CHECK(peer.lookups().size() == (settings.ice.tcp ? 2 : 1));
  REQUIRE(peer->candidate_pairs(start).size() == (settings.ice.tcp ? 1 : 0));
  if (!settings.ice.tcp) return;
  const base::route route{id, {*base::ip_address::parse("192.0.2.7"), 5000}};
  CHECK(peer->uses_connection(route));
  peer->handle_connection_lost(start, route);
  CHECK_FALSE(peer->uses_connection(route));
}

TEST_CASE("names are bounded, and each gives one candidate a family") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
  REQUIRE(peer.set_local());
  peer.gather();
  const auto name = [](int number) {
    return "candidate:1 1 udp 2122260223 n" + std::to_string(number) + ".local 5000 typ host";
  };
  for (int number = 0; number < 32; ++number) REQUIRE(peer.add(name(number), "0"));
  CHECK(failure_of(peer.add(name(32), "0")).code == errc::limit_reached);
  std::vector<base::ip_address> many;
  for (int last = 1; last < 50; ++last) {
    many.push_back(*base::ip_address::parse("192.0.2." + std::to_string(last + 100)));
  }
  peer->name_resolved(start, peer.lookups()[0].token, many);
  CHECK(peer->candidate_pairs(start).size() == 1);
}

TEST_CASE("local candidates are told with mid, index and ufrag once there is a description") {
  lone_peer peer;
  peer.create_channel();
  CHECK(peer.gatherings_wanted() == 0);
  REQUIRE(peer.set_local());
  CHECK(peer->current_ice_gathering_state() == ice_gathering_state::gathering);
  peer.gather();
  const auto told = peer.candidates();
  REQUIRE(told.size() == 2);
  CHECK(told[0].candidate.find("192.0.2.1 4000 typ host") != std::string::npos);
  CHECK(told[0].sdp_mid == "0");
  CHECK(told[0].sdp_m_line_index == std::uint16_t{0});
  const auto offer = peer->pending_local_description()->sdp;
  CHECK("a=ice-ufrag:" + *told[0].username_fragment == line_of(offer, "a=ice-ufrag"));
  CHECK(told[1].candidate.empty());
  CHECK(told[1].username_fragment == told[0].username_fragment);
  CHECK(peer->current_ice_gathering_state() == ice_gathering_state::complete);
  CHECK(count_of(offer, "a=" + told[0].candidate + "\r\n") == 1);
  CHECK(count_of(offer, "a=end-of-candidates\r\n") == 1);
}

TEST_CASE("the end of an old gathering is not the end of the new one") {
  lone_peer peer;
  peer.create_channel();
  REQUIRE(peer.set_local());
  peer->finish_gathering(start, 7);
  CHECK(peer->current_ice_gathering_state() == ice_gathering_state::gathering);
}

TEST_CASE("the gathering state goes back when an interface comes, and on a restart") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
  REQUIRE(peer.set_local());
  peer.gather();
  CHECK(peer->current_ice_gathering_state() == ice_gathering_state::complete);
  CHECK(count_of(peer->current_local_description()->sdp, "a=end-of-candidates") == 1);
  peer.events.clear();
  peer->add_local_socket(start, {base::socket_id{2}, *base::endpoint::parse("192.0.2.2:4000"), 1});
  peer.drain();
  std::vector<ice_gathering_state> states;
  for (const auto& each : peer.events) {
    if (const auto* changed = std::get_if<peer::ice_gathering_state_event>(&each)) {
      states.push_back(changed->now);
    }
  }
  CHECK(states == std::vector{ice_gathering_state::gathering, ice_gathering_state::complete});
  CHECK(peer.candidates().size() == 1);  // and no second end of the generation
  peer.offer(true);
  REQUIRE(peer.set_local());
  CHECK(peer->current_ice_gathering_state() == ice_gathering_state::complete);
}

TEST_CASE("a pool is gathered before a description asks for it, and told with the description") {
  peer::settings settings;
  settings.pool_candidates = true;
  lone_peer peer(1, settings);
  peer.drain();
  CHECK(peer.gatherings_wanted() == 1);
  peer.gather();
  CHECK(peer->current_ice_gathering_state() == ice_gathering_state::new_);
  CHECK(peer.candidates().empty());
  peer.create_channel();
  REQUIRE(peer.set_local());
  peer.drain();
  CHECK(peer.gatherings_wanted() == 1);
  CHECK(peer->current_ice_gathering_state() == ice_gathering_state::complete);
  const auto offer = peer->pending_local_description()->sdp;
  CHECK(count_of(offer, "192.0.2.1 4000 typ host") == 1);
  CHECK(count_of(offer, "a=end-of-candidates\r\n") == 1);
}

TEST_CASE("a pool that is still being gathered goes on as the description's gathering") {
  peer::settings settings;
  settings.pool_candidates = true;
  lone_peer peer(1, settings);
  peer.create_channel();
  REQUIRE(peer.set_local());
  CHECK(peer->current_ice_gathering_state() == ice_gathering_state::gathering);
  peer.gather();
  CHECK(peer.gatherings_wanted() == 1);
  CHECK(peer.candidates().size() == 2);
  CHECK(peer->current_ice_gathering_state() == ice_gathering_state::complete);
}

TEST_CASE("a name that nobody answers for drops its candidate alone") {
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
  REQUIRE(peer.set_local());
  peer.gather();
  REQUIRE(peer.add(hidden, "0"));
  REQUIRE(peer.add(host_line, "0"));
  REQUIRE(peer.lookups().size() == 1);
  peer->name_resolved(start, peer.lookups()[0].token, {});
  REQUIRE(peer->candidate_pairs(start).size() == 1);
  CHECK(peer->candidate_pairs(start)[0].remote.address == "192.0.2.7");
  CHECK(peer->current_connection_state() == connection_state::connecting);
}

TEST_CASE("a hidden socket is told by its name in candidates and descriptions") {
  lone_peer peer;
  peer.create_channel();
  REQUIRE(peer.set_local());
  peer.gather("4a7f.local");
  const auto told = peer.candidates();
  REQUIRE(told.size() == 2);
  CHECK(told[0].candidate.find(" 4a7f.local 4000 typ host") != std::string::npos);
  const auto offer = peer->pending_local_description()->sdp;
  CHECK(count_of(offer, " 4a7f.local 4000 typ host") == 1);
  CHECK(count_of(offer, "192.0.2.1") == 0);
}

TEST_CASE("a hundred thousand candidates are bounded, before they are in force and after") {
  for (const bool early : {true, false}) {
    CAPTURE(early);
    lone_peer peer;
    REQUIRE(peer.set_remote(sdp_type::offer, data_sdp()));
    if (!early) REQUIRE(peer.set_local());
    peer.gather();
    std::size_t refused = 0;
    std::string first_refusal;
    for (int number = 0; number < 100000; ++number) {
      const auto added =
          peer.add("candidate:1 1 udp 2122260223 10." + std::to_string(number / 65536) + "." +
                       std::to_string(number / 256 % 256) + "." + std::to_string(number % 256) +
                       " 5000 typ host",
                   "0");
      if (added) continue;
      if (first_refusal.empty()) first_refusal = added.error().detail;
      refused += added.error().code == errc::limit_reached ? 1 : 0;
    }
    CHECK(refused == 100000 - 100);
    CHECK(first_refusal.find("remote candidate") != std::string::npos);
    const auto shown = peer->pending_remote_description() ? peer->pending_remote_description()
                                                          : peer->current_remote_description();
    CHECK(count_of(shown->sdp, "a=candidate:") == 100);
    if (early) REQUIRE(peer.set_local());
    CHECK(peer->candidate_pairs(start).size() == 100);
  }
}

TEST_CASE("a description full of candidates gives as many pairs as any other") {
  std::string offer = data_sdp();
  for (int number = 0; number < 15000; ++number) {
    offer += "a=candidate:1 1 udp 2122260223 10.0." + std::to_string(number / 256) + "." +
             std::to_string(number % 256) + " 5000 typ host\r\n";
  }
  lone_peer peer;
  REQUIRE(peer.set_remote(sdp_type::offer, offer));
  REQUIRE(peer.set_local());
  peer.gather();
  CHECK(peer->candidate_pairs(start).size() == 100);
}

}  // namespace asiortc::test
