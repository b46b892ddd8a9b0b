// Which of a member's connections a description comes from.
#pragma once

#include <asiortc/session_description.hpp>

#include <deque>
#include <string>
#include <string_view>

namespace asiortc::signaling {

/// Both ends of a pipe may begin anew with another connection, at any time and unannounced. A
/// connection keeps the session id of its o= line (RFC 8866 5.2, RFC 9429 5.2.2), so that is what
/// tells an offer for our connection from the first of a new one, and from a late one of an old.
class remote_session {
 public:
  enum class verdict {
    current,  ///< for our connection as it is
    anew,     ///< the other side has begun anew, so our connection is to be replaced by another
    stale     ///< from a connection that was replaced, or for one
  };

  verdict judge(const session_description& description);
  /// Our side has begun anew: what the other side said to our old connection counts no more.
  void begin_anew();

 private:
  void retire();

  std::string current_;
  std::deque<std::string> retired_;
};

/// The session id of the o= line; empty where there is none.
std::string_view session_id_of(std::string_view sdp);

}  // namespace asiortc::signaling
