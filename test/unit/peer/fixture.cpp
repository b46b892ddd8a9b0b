#include "unit/peer/fixture.hpp"

#include "crypto/identity.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {
namespace {

std::shared_ptr<const crypto::identity> shared_identity() {
  static const auto identity =
      crypto::identity::generate(crypto::key_type::ecdsa_p256, 1'700'000'000, 1'800'000'000)
          .value();
  return identity;
}

template <class Event>
std::vector<Event> select(const std::vector<peer::event>& events) {
  std::vector<Event> found;
  for (const auto& each : events) {
    if (const auto* event = std::get_if<Event>(&each)) found.push_back(*event);
  }
  return found;
}

}  // namespace

lone_peer::lone_peer(std::uint64_t seed, peer::settings settings, base::logger log)
    : random_(seed) {
  settings.identity = shared_identity();
  peer::environment environment;
  environment.random = &random_;
  environment.sctp = &sctp::usrsctp_engine();
  environment.wake = [] {};
  environment.log = std::move(log);
  core_ = std::make_unique<peer::peer>(std::move(settings), std::move(environment));
}

std::string lone_peer::offer(bool ice_restart) {
  peer::offer_options options;
  options.ice_restart = ice_restart;
  return core_->create_offer(start, options).value().sdp;
}

std::string lone_peer::answer() { return core_->create_answer(start).value().sdp; }

base::result<void> lone_peer::set_local(std::optional<session_description> description) {
  auto done = core_->set_local_description(start, std::move(description));
  drain();
  return done;
}

base::result<void> lone_peer::set_remote(sdp_type type, std::string_view sdp) {
  auto done = core_->set_remote_description(start, session_description(type, std::string(sdp)));
  drain();
  return done;
}

base::result<void> lone_peer::add(std::string candidate, std::optional<std::string> mid,
                                  std::optional<std::uint16_t> index) {
  ice_candidate value;
  value.candidate = std::move(candidate);
  value.sdp_mid = std::move(mid);
  value.sdp_m_line_index = index;
  auto done = core_->add_ice_candidate(start, value);
  drain();
  return done;
}

void lone_peer::create_channel() {
  core_->create_data_channel(start, "data", data_channel_init{}).value();
  drain();
}

void lone_peer::gather(std::string name) {
  drain();
  ice::local_socket socket;
  socket.id = base::socket_id{1};
  socket.address = *base::endpoint::parse("192.0.2.1:4000");
  socket.name = std::move(name);
  core_->add_local_socket(start, socket);
  core_->finish_gathering(start, static_cast<std::uint32_t>(gatherings_wanted()));
  drain();
}

void lone_peer::drain() {
  while (auto event = core_->poll_event()) events.push_back(std::move(*event));
}

std::vector<signaling_state> lone_peer::signaling_states() const {
  std::vector<signaling_state> states;
  for (const auto& each : select<peer::signaling_state_event>(events)) states.push_back(each.now);
  return states;
}

std::vector<ice_candidate> lone_peer::candidates() const {
  std::vector<ice_candidate> found;
  for (const auto& each : select<peer::ice_candidate_event>(events)) found.push_back(each.value);
  return found;
}

std::vector<peer::resolution_wanted> lone_peer::lookups() const {
  return select<peer::resolution_wanted>(events);
}

std::size_t lone_peer::negotiations_needed() const {
  return select<peer::negotiation_needed_event>(events).size();
}

std::size_t lone_peer::gatherings_wanted() const {
  return select<peer::gathering_wanted>(events).size();
}

base::failure failure_of(const base::result<void>& done) {
  REQUIRE_FALSE(done.has_value());
  return done.error();
}

std::string crlf(std::string_view lines) {
  std::string text;
  for (const char each : lines) {
    if (each == '\n') text += '\r';
    text += each;
  }
  return text;
}

std::string line_of(std::string_view sdp, std::string_view begin, std::size_t skip) {
  std::size_t position = 0;
  while (position < sdp.size()) {
    const auto end = std::min(sdp.find("\r\n", position), sdp.size());
    const auto line = sdp.substr(position, end - position);
    if (line.substr(0, begin.size()) == begin && skip-- == 0) return std::string(line);
    position = end + 2;
  }
  return {};
}

std::size_t count_of(std::string_view text, std::string_view piece) {
  std::size_t count = 0;
  for (auto at = text.find(piece); at != std::string_view::npos; at = text.find(piece, at + 1)) {
    ++count;
  }
  return count;
}

std::string replace(std::string text, std::string_view from, std::string_view to) {
  const auto position = text.find(from);
  REQUIRE(position != std::string::npos);
  return text.replace(position, from.size(), to);
}

std::string data_sdp(std::string_view setup) {
  return crlf(
      "v=0\n"
      "o=- 4962303333179871722 2 IN IP4 127.0.0.1\n"
      "s=-\n"
      "t=0 0\n"
      "a=group:BUNDLE 0\n"
      "a=msid-semantic: WMS\n"
      "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n"
      "c=IN IP4 0.0.0.0\n"
      "a=ice-ufrag:Zx4k\n"
      "a=ice-pwd:0123456789abcdefghijklmn\n"
      "a=ice-options:trickle\n"
      "a=fingerprint:sha-256 "
      "7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:"
      "DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\n"
      "a=setup:" +
      std::string(setup) +
      "\n"
      "a=mid:0\n"
      "a=sctp-port:5000\n"
      "a=max-message-size:262144\n");
}

}  // namespace asiortc::test
