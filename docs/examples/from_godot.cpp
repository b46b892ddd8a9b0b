// The two-peer sample of Godot's WebRTC pages, ported: signals, a negotiated channel, and poll().
#include "on_each.hpp"

#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <functional>
#include <iostream>
#include <optional>
#include <string>

namespace asio = boost::asio;
using boost::system::error_code;

// What a program connects session_description_created and ice_candidate_created to. A stream keeps
// its candidates, so they are passed on from when the other side has the description.
void describe(asiortc::peer_connection& from, asiortc::peer_connection& to,
              std::function<void()> then) {
  const auto pass_candidates = [&from, &to] {
    on_each(from.ice_candidates(), [&to](asiortc::ice_candidate candidate) {
      to.async_add_ice_candidate(std::move(candidate), asio::detached);
    });
  };
  const auto taken = [pass_candidates, then](error_code failed) {
    if (failed) return;
    pass_candidates();
    then();
  };
  // Without a description it makes the offer or the answer that is due, and sets it.
  from.async_set_local_description(std::nullopt, [&from, &to, taken](error_code failed) {
    if (!failed) to.async_set_remote_description(*from.local_description(), taken);
  });
}

// create_data_channel("chat", {"id": 1, "negotiated": true})
asiortc::data_channel make_channel(asiortc::peer_connection& peer) {
  return peer.create_data_channel(
      "chat", asiortc::parse_data_channel_init(R"({"id": 1, "negotiated": true})"));
}

struct game {
  asio::io_context context;
  asiortc::peer_connection p1{context}, p2{context};
  asiortc::data_channel ch1 = make_channel(p1), ch2 = make_channel(p2);
  bool p1_spoke = false, p1_heard = false;

  game() {
    describe(p1, p2, [this] { describe(p2, p1, [] {}); });  // create_offer, and the answer
  }

  // One frame.
  void process() {
    context.poll();
    if (ch1.state() == asiortc::data_channel_state::open && !p1_spoke) {
      ch1.async_send("Hi from P1", asio::detached);
      p1_spoke = true;
    }
    while (auto packet = ch2.try_receive()) {
      std::cout << "P2 received: " << packet->text() << '\n';
      ch2.async_send("Hi from P2", asio::detached);
    }
    while (auto packet = ch1.try_receive()) {
      std::cout << "P1 received: " << packet->text() << '\n';
      p1_heard = true;
    }
  }
};

int main() {
  game sample;
  auto work = asio::make_work_guard(sample.context);  // else an idle poll() stops the context
  asio::steady_timer limit(sample.context, std::chrono::seconds(30));
  bool late = false;
  limit.async_wait([&](error_code) { late = true; });
  while (!sample.p1_heard && !late) sample.process();
  return sample.p1_heard ? 0 : 1;
}
