// Bytes drive a client's session: its owner's calls, time, the socket's end, and messages of a
// server that keeps the protocol's order more or less.
#include "base/bytes.hpp"
#include "signaling/client_session.hpp"
#include "signaling/codec.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

namespace {

namespace sig = asiortc::signaling;
namespace base = asiortc::base;

void require(bool holds) {
  if (!holds) std::abort();
}

class driver {
 public:
  explicit driver(base::byte_span script) : script_(script) {}

  void run() {
    while (script_.remaining() > 0) {
      step(script_.u8());
      drain();
    }
    // Where nothing is heard any more, the session ends by itself.
    while (session_.next_deadline() != base::never) {
      now_ = std::max(now_, session_.next_deadline());
      session_.handle_timeout(now_);
      drain();
    }
    require(ended_ && session_.state() == sig::session_state::ended);
  }

 private:
  void step(std::uint8_t what) {
    switch (what % 16) {
      case 0:
        if (session_.state() == sig::session_state::open) session_.join(now_, {"room", "me", {}});
        return;
      case 1:
        return session_.signal(script_.u8() % 8 + 1, R"({"candidate":null})");
      case 2:
        if (script_.u8() == 255) session_.leave();
        return;
      case 3:
        now_ += std::chrono::milliseconds(200) * script_.u8();
        return session_.handle_timeout(now_);
      case 4:
        return session_.handle_alive(now_);
      case 5:
        if (script_.u8() >= 250) session_.handle_closed(script_.u16(), "words");
        return;
      case 6: {
        const std::size_t size = std::min<std::size_t>(script_.u8(), script_.remaining());
        return session_.handle_text(now_, base::as_text(script_.take(size)));
      }
      default:
        return session_.handle_text(now_, sig::encode(make_message(script_.u8())));
    }
  }

  std::uint64_t seq(std::uint8_t how) { return how >= 240 ? seq_ + how - 242 : ++seq_; }

  sig::server_message make_message(std::uint8_t how) {
    const asiortc::peer_id who = script_.u8() % 8 + 1;
    switch (how % 12) {
      case 0:
        return make_joined(who);
      case 1:
        return sig::peer_joined_message{seq(how), {who, std::string(how, 'n')}};
      case 2:
        return sig::peer_left_message{seq(how), who, static_cast<asiortc::leave_reason>(how / 64)};
      case 3:
        return sig::peer_away_message{seq(how), who};
      case 4:
        return sig::peer_back_message{seq(how), who};
      case 5:
        return sig::signal_message{seq(how), who, R"({"description":{}})"};
      case 6:
        return sig::pong_message{std::to_string(how)};
      case 7:
        return sig::ice_servers_message{{}};
      case 8:
        return sig::sealed_message{seq(how)};
      case 9:
        return sig::going_away_message{how};
      case 10:
        return sig::error_message{"peer-not-found", "words", who, 1, how >= 240};
      default:
        return sig::unknown_message{};
    }
  }

  sig::server_message make_joined(asiortc::peer_id us) {
    sig::joined_message joined;
    joined.room = "room";
    joined.id = joined.host = us;
    for (int count = script_.u8() % 4; count > 0; --count) {
      joined.peers.push_back({script_.u8() % 8 + 1, "name"});
    }
    return joined;
  }

  void drain() {
    while (const auto output = session_.poll()) {
      // The end is told once, and nothing after it.
      require(!ended_);
      ended_ = std::holds_alternative<sig::session_end>(*output);
      if (const auto* news = std::get_if<sig::session_news>(&*output)) {
        std::visit([this](const auto& message) { note(message); }, news->message);
      }
      if (const auto* text = std::get_if<sig::session_text>(&*output)) {
        require(sig::decode_client_message(text->text).value.has_value());
      }
    }
    require(ended_ == (session_.state() == sig::session_state::ended));
  }

  /// Numbers without a gap, joins and leaves that fit together.
  template <class Message>
  void note(const Message& message) {
    if constexpr (requires { message.seq; }) require(message.seq == ++noted_);
  }
  void note(const sig::joined_message& message) {
    require(present_.empty() && noted_ == 0);
    for (const auto& peer : message.peers) require(present_.insert(peer.id).second);
  }
  void note(const sig::peer_joined_message& message) {
    require(message.seq == ++noted_ && present_.insert(message.peer.id).second);
  }
  void note(const sig::peer_left_message& message) {
    require(message.seq == ++noted_ && present_.erase(message.id) == 1);
  }

  base::byte_reader script_;
  base::time_point now_{std::chrono::hours(1)};
  sig::client_session session_{{}, now_, base::logger()};
  std::uint64_t seq_ = 0;
  std::uint64_t noted_ = 0;
  std::set<asiortc::peer_id> present_;
  bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  driver({data, size}).run();
  return 0;
}
