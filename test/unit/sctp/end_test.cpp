#include "pair.hpp"
#include "virtual_time.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {

using namespace std::chrono_literals;

TEST_CASE("an abort is told to the peer at once, and both are closed with their reason") {
  pair ends;
  ends.connect();
  ends.a.association->abort(virtual_now());
  REQUIRE(ends.run_until([&] { return ends.b.has<sctp::closed>(); }, 100ms));
  CHECK(ends.b.all<sctp::closed>()[0].reason.code == errc::remote_closed);
  ends.a.poll();
  REQUIRE(ends.a.all<sctp::closed>().size() == 1);
  CHECK(ends.a.all<sctp::closed>()[0].reason.code == errc::closed);
  const auto refused = ends.b.association->send(virtual_now(), {}, pattern(1, 1));
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::remote_closed);
  // Nothing more happens, and nothing more is said.
  ends.a.association->abort(virtual_now());
  ends.run_for(5s);
  CHECK(ends.a.all<sctp::closed>().size() == 1);
  CHECK(ends.b.all<sctp::closed>().size() == 1);
}

TEST_CASE("what arrived before the abort is delivered before the end") {
  pair ends;
  ends.connect();
  ends.a.send(1, pattern(8000, 1));
  ends.run_for(50ms);
  ends.a.association->abort(virtual_now());
  REQUIRE(ends.run_until([&] { return ends.b.has<sctp::closed>(); }));
  CHECK(ends.b.received_bytes() == 8000);
  CHECK(std::holds_alternative<sctp::closed>(ends.b.events.back()));
}

TEST_CASE("an association dropped with packets, events and timers pending harms nobody") {
  for (int age = 0; age < 40; age += 3) {
    pair ends;
    ends.network.loss = 0.1;
    ends.a.association->connect(virtual_now());
    ends.b.association->connect(virtual_now());
    ends.run_for(std::chrono::milliseconds(age));
    sctp::send_options options;
    const auto taken = ends.a.association->send(virtual_now(), options, pattern(30000, 1));
    CHECK(taken.has_value());
    ends.a.association.reset();
    base::packet_batch packets;
    ends.b.association->poll_packets(packets);
    advance_virtual_time(3s);
    sctp::usrsctp_engine().tick(virtual_now());
  }
}

TEST_CASE("calls before connect are refused or harmless") {
  side end{{}};
  CHECK(end.association->send(virtual_now(), {}, pattern(1, 1)).has_error());
  end.association->pause_receive(true);
  end.association->pause_receive(false);
  base::packet_batch out;
  end.association->poll_packets(out);
  CHECK(out.empty());
  end.poll();
  CHECK(end.events.empty());
  end.association->abort(virtual_now());
  end.poll();
  CHECK(end.has<sctp::closed>());
  end.association->connect(virtual_now());
  end.association->poll_packets(out);
  CHECK(out.empty());
}

TEST_CASE("states are logged with their reason, after the engine's lock is released") {
  std::vector<std::string> lines;
  sctp::settings logged;
  sctp::association* inside = nullptr;
  logged.log = base::logger(
      [&](log_level, std::string_view layer, std::string_view line) {
        lines.push_back(std::string(layer) + ": " + std::string(line));
        // Would never return if the lock were held.
        if (inside != nullptr) static_cast<void>(inside->unacknowledged());
      },
      log_level::debug, "sctp");
  pair ends({}, logged);
  inside = ends.a.association.get();
  ends.connect();
  REQUIRE(lines.size() >= 2);
  CHECK(lines[0] == "sctp: idle -> connecting: connect");
  CHECK(lines[1] == "sctp: connecting -> connected: handshake done");
}

}  // namespace asiortc::test
