// Whose a datagram is, where many agents share one port: by the user name fragment of a check, by
// the transaction of an answer, else by the address that it comes from.
#pragma once

#include "base/bytes.hpp"
#include "base/packet.hpp"
#include "base/time.hpp"
#include "stun/message_view.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace asiortc::ice {

/// One of those who share the port. Numbers are not used again.
enum class mux_peer : std::uint64_t { none = 0 };

struct mux_limits {
  /// Addresses a peer; as many as an agent has pairs by default would be 100, most of which fail.
  std::size_t routes_a_peer = 64;
  std::size_t routes = std::size_t{1} << 18;  ///< of all peers
  std::size_t requests_a_peer = 512;          ///< that wait for an answer
  /// An owner that was not heard for so long may lose its address. Consent checks come at least
  /// every 6 s (RFC 7675 5.1), so that two in a row are missing.
  base::duration owner_silence = std::chrono::seconds(10);
  base::duration unused_route = std::chrono::seconds(30);  ///< an address that carried nothing
  base::duration answer_wait = std::chrono::seconds(10);   ///< after a request was last sent
};

struct mux_counters {
  std::uint64_t unknown = 0;    ///< nobody's, or malformed
  std::uint64_t conflicts = 0;  ///< over an address that another peer uses
};

/// What comes in changes nothing but times: a route is learnt from what its peer sends, and an
/// agent sends only to candidates that were signalled and to who knew its password. So nobody else
/// makes the table grow, or takes an address from the peer that uses it.
class mux_table {
 public:
  /// `salt` is random, so that nobody can choose addresses that share a bucket.
  mux_table(mux_limits limits, std::uint64_t salt);

  mux_peer add_peer();
  /// With all that was noted of it.
  void remove_peer(mux_peer peer);
  void remove_socket(base::socket_id socket);

  /// False if it is taken.
  bool add_ufrag(mux_peer peer, const std::string& ufrag);
  void remove_ufrag(mux_peer peer, const std::string& ufrag);

  /// To be asked before a peer sends this. False if the address is in use by another peer, whose
  /// answers could not be told from this one's; the packet must not be sent.
  bool note_sent(base::time_point now, mux_peer peer, const base::route& to,
                 base::byte_span packet);
  /// `none` is counted.
  mux_peer find(base::time_point now, const base::route& from, base::byte_span packet);
  /// A packet to one of our own sockets, which names no sender by its address: it goes to whom the
  /// sender's checks and answers go.
  mux_peer find_partner(base::time_point now, mux_peer sender, base::byte_span packet);
  /// Whose address it is; for errors.
  [[nodiscard]] mux_peer owner(const base::route& route) const;

  [[nodiscard]] const mux_counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t peers() const { return peers_.size(); }
  [[nodiscard]] std::size_t routes() const { return routes_.size(); }
  [[nodiscard]] std::size_t requests() const { return requests_.size(); }

 private:
  struct peer_record {
    std::vector<std::string> ufrags;
    std::vector<base::route> routes;
    std::size_t requests = 0;
    mux_peer partner = mux_peer::none;
  };
  struct route_record {
    mux_peer owner = mux_peer::none;
    bool in_use = false;  ///< data was sent there, so that its pair is valid
    base::time_point used;
  };
  struct request_record {
    mux_peer owner = mux_peer::none;
    base::time_point give_up;
  };
  struct request_expiry {
    base::time_point when;
    stun::transaction_id id;
  };
  struct route_hash {
    std::uint64_t salt = 0;
    std::size_t operator()(const base::route& route) const noexcept;
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct id_hash {
    std::size_t operator()(const stun::transaction_id& id) const noexcept;
  };
  bool note_route(base::time_point now, mux_peer peer, const base::route& to, bool is_data);
  void note_request(base::time_point now, mux_peer peer, const stun::transaction_id& id);
  void expire_requests(base::time_point now);
  void make_room(base::time_point now, peer_record& peer);
  mux_peer take_request(const stun::transaction_id& id);
  [[nodiscard]] bool is_held(const route_record& record, base::time_point now) const;
  [[nodiscard]] mux_peer owner_of(const stun::message_view& check) const;

  mux_limits limits_;
  std::unordered_map<mux_peer, peer_record> peers_;
  std::unordered_map<std::string, mux_peer, text_hash, std::equal_to<>> ufrags_;
  std::unordered_map<base::route, route_record, route_hash> routes_;
  std::unordered_map<stun::transaction_id, request_record, id_hash> requests_;
  std::deque<request_expiry> expiries_;
  std::uint64_t last_peer_ = 0;
  mux_counters counters_;
};

}  // namespace asiortc::ice
