// Descriptions and candidates from nowhere, in every state of the offer/answer machine.
//
// The input is a script: a line that is one of the commands below does what it says, what stands
// between such lines is a text (SDP or candidate) that the next command takes.
#include "crypto/identity.hpp"
#include "peer/peer.hpp"
#include "support/seeded_random.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace asiortc;

class script {
 public:
  script() {
    static const auto identity =
        crypto::identity::generate(crypto::key_type::ecdsa_p256, 1'700'000'000, 1'800'000'000)
            .value();
    peer::settings settings;
    settings.identity = identity;
    peer::environment environment;
    environment.random = &random_;
    environment.sctp = &sctp::usrsctp_engine();
    environment.wake = [] {};
    core_ = std::make_unique<peer::peer>(std::move(settings), std::move(environment));
    static_cast<void>(core_->create_data_channel(now_, "fuzz", {}));
  }

  void run(std::string_view input) {
    // Long inputs only repeat what short ones do.
    for (int lines = 0; !input.empty() && lines < 4096; ++lines) {
      const auto end = input.find('\n');
      const std::string_view line = input.substr(0, end);
      input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
      if (!command(line)) {
        text_.append(line);
        text_.push_back('\n');
        continue;
      }
      text_.clear();
      check();
    }
  }

 private:
  bool command(std::string_view line) {
    if (line == "#offer") return remote(sdp_type::offer);
    if (line == "#answer") return remote(sdp_type::answer);
    if (line == "#pranswer") return remote(sdp_type::pranswer);
    if (line == "#rollback") return remote(sdp_type::rollback);
    if (line == "#local") return done(core_->set_local_description(now_, std::nullopt));
    if (line == "#local-rollback") return local(sdp_type::rollback);
    if (line == "#local-pranswer") return local(sdp_type::pranswer);
    if (line == "#candidate") return candidate("0");
    if (line == "#candidate-any") return candidate(std::nullopt);
    if (line == "#resolve") return resolve();
    if (line == "#restart") {
      core_->restart_ice(now_);
      return done(core_->set_local_description(now_, std::nullopt));
    }
    if (line == "#wait") {
      now_ = std::max(now_, std::min(core_->next_deadline(), now_ + std::chrono::seconds(60)));
      core_->handle_timeout(now_);
      return true;
    }
    if (line == "#close") {
      core_->close(now_, errc::closed);
      return true;
    }
    return false;
  }

  bool done(const base::result<void>& result) {
    // A refusal is what most inputs deserve, and it says why.
    if (!result && result.error().detail.empty()) std::abort();
    return true;
  }

  bool remote(sdp_type type) {
    const auto before = core_->current_signaling_state();
    const auto result = core_->set_remote_description(now_, session_description(type, text_));
    if (!result && core_->current_signaling_state() != before) std::abort();
    return done(result);
  }

  bool local(sdp_type type) {
    return done(core_->set_local_description(now_, session_description(type, "")));
  }

  bool candidate(std::optional<std::string> mid) {
    ice_candidate value;
    value.candidate = text_.substr(0, text_.find('\n'));
    value.sdp_mid = std::move(mid);
    return done(core_->add_ice_candidate(now_, value));
  }

  bool resolve() {
    const std::array addresses{base::ip_address::v4({192, 0, 2, 9})};
    core_->name_resolved(now_, next_token_++, addresses);
    return true;
  }

  /// Whatever was said to it, the peer is in a state that it can describe.
  void check() {
    base::packet_batch out;
    while (core_->poll_transmit(now_, out)) out.clear();
    while (auto event = core_->poll_event()) {
      if (const auto* wanted = std::get_if<peer::gathering_wanted>(&*event)) {
        ice::local_socket socket;
        socket.id = base::socket_id{1};
        socket.address = {base::ip_address::v4({192, 0, 2, 1}), 4000};
        core_->add_local_socket(now_, socket);
        core_->finish_gathering(now_, wanted->generation);
      }
    }
    static_cast<void>(core_->current_local_description());
    static_cast<void>(core_->pending_remote_description());
    static_cast<void>(core_->candidate_pairs(now_));
    if (core_->current_signaling_state() == signaling_state::stable &&
        (core_->pending_local_description() || core_->pending_remote_description())) {
      std::abort();
    }
  }

  test::seeded_random random_{1};
  base::time_point now_{std::chrono::hours(1)};
  std::unique_ptr<peer::peer> core_;
  std::string text_;
  std::uint64_t next_token_ = 1;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  script().run({reinterpret_cast<const char*>(data), size});
  return 0;
}
