// The offer/answer state machine (RFC 9429 3.5, 4.1): which description may come next, which are
// pending and which are current. It knows descriptions, and nothing of what they set in motion.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "peer/local_session.hpp"
#include "peer/session.hpp"

#include <asiortc/session_description.hpp>
#include <asiortc/states.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::peer {

enum class side { local, remote };

/// A description and its type; pending ones are also provisional answers.
template <class Session>
struct described {
  sdp_type type = sdp_type::offer;
  Session session;
};

class negotiation {
 public:
  explicit negotiation(base::logger log) : log_(std::move(log)) {}

  [[nodiscard]] signaling_state state() const { return state_; }
  /// Nothing may follow.
  void close() { set_state(signaling_state::closed, "closed"); }

  // What we have written and may be set.
  void remember(sdp_type type, std::string text, local_session session);
  /// The last one created of that type, if the text is its text or empty (RFC 9429 5.4).
  [[nodiscard]] base::result<local_session> created(sdp_type type, std::string_view text) const;
  [[nodiscard]] bool has_created(sdp_type type) const;

  // Checks; they change nothing.
  /// Whether the state allows a description of that type from that side (RFC 9429 5.5, 5.6).
  [[nodiscard]] base::result<void> check_state(side from, sdp_type type) const;
  /// Whether an offer keeps the m-sections that were negotiated.
  [[nodiscard]] base::result<void> check_offer(const remote_session& offer) const;
  /// Whether an answer fits the offer that is pending.
  [[nodiscard]] base::result<void> check_answer(const remote_session& answer) const;

  // Changes; the checks have passed.
  void set_local(sdp_type type, local_session session);
  void set_remote(sdp_type type, remote_session session);
  /// Forgets what is pending (RFC 9429 5.7).
  void roll_back();

  using local = described<local_session>;
  using remote = described<remote_session>;
  [[nodiscard]] const std::optional<local>& current_local() const { return current_local_; }
  [[nodiscard]] const std::optional<local>& pending_local() const { return pending_local_; }
  [[nodiscard]] const std::optional<remote>& current_remote() const { return current_remote_; }
  [[nodiscard]] const std::optional<remote>& pending_remote() const { return pending_remote_; }
  /// The pending one, or else the current one.
  [[nodiscard]] const local_session* effective_local() const;
  [[nodiscard]] remote_session* effective_remote();
  [[nodiscard]] const remote_session* effective_remote() const;
  /// The m-sections as the last finished exchange left them.
  [[nodiscard]] const std::vector<m_section>& negotiated() const { return negotiated_; }
  [[nodiscard]] bool has_live_data() const;

 private:
  struct last_created {
    std::string text;
    local_session session;
  };

  void set_state(signaling_state next, std::string_view reason);
  void finish();
  std::optional<last_created>& slot(sdp_type type);

  base::logger log_;
  signaling_state state_ = signaling_state::stable;
  std::optional<last_created> offer_;
  std::optional<last_created> answer_;
  std::optional<local> current_local_;
  std::optional<local> pending_local_;
  std::optional<remote> current_remote_;
  std::optional<remote> pending_remote_;
  std::vector<m_section> negotiated_;
};

}  // namespace asiortc::peer
