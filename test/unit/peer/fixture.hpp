// A peer core with nothing around it, and SDP to feed it with.
#pragma once

#include "peer/peer.hpp"
#include "support/seeded_random.hpp"

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::base {

/// For doctest, which shows what a result holds.
inline std::ostream& operator<<(std::ostream& out, const failure& why) {
  return out << why.code << " " << why.detail;
}

}  // namespace asiortc::base

namespace asiortc::test {

/// Any moment will do.
inline constexpr base::time_point start{std::chrono::hours(1)};

/// One peer and what it told.
class lone_peer {
 public:
  explicit lone_peer(std::uint64_t seed = 1, peer::settings settings = {}, base::logger log = {});

  peer::peer* operator->() { return core_.get(); }

  // Shorthand for what tests do most.
  std::string offer(bool ice_restart = false);
  std::string answer();
  base::result<void> set_local(std::optional<session_description> description = std::nullopt);
  base::result<void> set_remote(sdp_type type, std::string_view sdp);
  base::result<void> add(std::string candidate, std::optional<std::string> mid,
                         std::optional<std::uint16_t> index = std::nullopt);
  void create_channel();
  /// One socket on 192.0.2.1:4000, which a name may hide, and the end of gathering.
  void gather(std::string name = "");
  /// Takes the events that wait into the lists below.
  void drain();

  std::vector<peer::event> events;
  [[nodiscard]] std::vector<signaling_state> signaling_states() const;
  [[nodiscard]] std::vector<ice_candidate> candidates() const;
  [[nodiscard]] std::vector<peer::resolution_wanted> lookups() const;
  [[nodiscard]] std::size_t negotiations_needed() const;
  [[nodiscard]] std::size_t gatherings_wanted() const;

 private:
  seeded_random random_;
  std::unique_ptr<peer::peer> core_;
};

/// The error of a call that must fail.
base::failure failure_of(const base::result<void>& done);

/// The same text with each `\n` as CRLF.
std::string crlf(std::string_view lines);
/// The first line that starts so, without its end; empty if there is none.
std::string line_of(std::string_view sdp, std::string_view start, std::size_t skip = 0);
std::size_t count_of(std::string_view text, std::string_view piece);
std::string replace(std::string text, std::string_view from, std::string_view to);

/// A plain offer or answer of a browser with nothing but a data section.
std::string data_sdp(std::string_view setup = "actpass");

}  // namespace asiortc::test
