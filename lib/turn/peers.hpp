// What an allocation holds for its peers: a permission an address (RFC 8656 9) and a channel an
// address and port (RFC 8656 12), each with its own times.
#pragma once

#include "base/packet.hpp"
#include "base/time.hpp"
#include "turn/refusal.hpp"

#include <cstdint>
#include <vector>

namespace asiortc::turn {

// RFC 8656 9: "The Permission Lifetime MUST be 300 seconds (= 5 minutes)".
inline constexpr base::duration permission_lifetime = std::chrono::seconds(300);
// RFC 8656 12: "Channel bindings last for 10 minutes unless refreshed".
inline constexpr base::duration channel_lifetime = std::chrono::minutes(10);
// RFC 8656 12: neither number nor peer takes part in another binding until 5 minutes later.
inline constexpr base::duration channel_rest = std::chrono::minutes(5);

/// A packet on its way to a peer whose permission is not there yet.
struct waiting_packet {
  base::endpoint peer;
  base::traffic_class kind = base::traffic_class::control;
  base::bytes payload;
};

struct permission {
  enum class status : std::uint8_t { asked, granted, refused };

  base::ip_address address;
  status now = status::asked;
  base::time_point last_used;
  base::time_point ask_at = base::never;  ///< never while a request is on its way
  base::time_point expires_at = base::never;
  std::vector<waiting_packet> waiting;
  std::size_t waiting_bytes = 0;
  refusal why;  ///< it is refused
};

struct channel {
  /// `resting`: expired here, and still the peer's own until nobody may remember it.
  enum class status : std::uint8_t { asked, bound, resting, refused };

  base::endpoint peer;
  std::uint16_t number = 0;
  status now = status::asked;
  base::time_point last_used;
  base::time_point ask_at = base::never;
  base::time_point expires_at = base::never;
};

class peer_table {
 public:
  static constexpr std::size_t max_permissions = 256;
  static constexpr std::size_t max_channels = 256;

  permission* find(const base::ip_address& address);
  channel* find(const base::endpoint& peer);
  channel* find(std::uint16_t number);

  /// Null if there are too many. A new entry is `asked`.
  permission* add(base::time_point now, const base::ip_address& address);
  channel* add(base::time_point now, const base::endpoint& peer);

  /// Whether anything passed in the last five minutes, so that it is worth keeping.
  [[nodiscard]] bool in_use(base::time_point now, const permission& which) const;
  [[nodiscard]] static bool in_use(base::time_point now, const channel& which) {
    return now - which.last_used < channel_lifetime;
  }

  [[nodiscard]] std::vector<permission>& permissions() { return permissions_; }
  [[nodiscard]] std::vector<channel>& channels() { return channels_; }
  [[nodiscard]] base::time_point next_deadline() const;
  void clear();

 private:
  [[nodiscard]] std::uint16_t free_number();

  std::vector<permission> permissions_;
  std::vector<channel> channels_;
  std::uint16_t last_number_ = 0;
};

}  // namespace asiortc::turn
