// A peer's end of a mux: what has arrived for it, and how it sends.
#pragma once

#include "ice/ufrag_registry.hpp"
#include "io/backlog_sender.hpp"
#include "io/mux.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace asiortc::io {

/// Of the peer's strand, but for what is said to come from the mux.
class mux_link final : public ice::ufrag_registry, public std::enable_shared_from_this<mux_link> {
 public:
  /// What waits for a peer that does not keep up; more is lost, as in a socket's buffer.
  static constexpr std::size_t max_waiting_bytes = 2 * 1024 * 1024;
  static constexpr std::size_t max_waiting_packets = 4096;

  static std::shared_ptr<mux_link> create(std::shared_ptr<io::mux> mux);
  explicit mux_link(std::shared_ptr<io::mux> mux) : mux_(std::move(mux)) {}
  ~mux_link() override;
  mux_link(const mux_link&) = delete;
  mux_link& operator=(const mux_link&) = delete;

  /// Whether it is a socket of a mux.
  static bool owns(base::socket_id id);

  /// Called from anywhere when `take` would give something.
  void set_wake(std::function<void()> wake);
  /// Nothing is received or sent from then on.
  void leave() noexcept;

  struct news {
    /// The route of each is where it came from.
    base::packet_batch packets;
    std::vector<base::route> failed;
    bool writable = false;
    bool addresses_changed = false;
  };
  news take();
  void give_back(base::packet_batch packets) { mux_->give_back(std::move(packets)); }

  struct changes {
    std::vector<mux_address> come;
    std::vector<base::socket_id> gone;
  };
  /// The mux's sockets, compared with when this was last asked. Only these are sent from.
  changes update_addresses();
  [[nodiscard]] std::vector<mux_address> addresses() const;

  /// Sends entries [first, last), all from one socket.
  void send(const base::packet_batch& batch, std::size_t first, std::size_t last,
            std::vector<base::route>& failed);
  /// A socket has become writable: sends what was kept.
  void send_kept(std::vector<base::route>& failed);
  [[nodiscard]] bool blocked() const;

  bool add(const std::string& ufrag) override { return mux_->add_ufrag(peer_, ufrag); }
  void remove(const std::string& ufrag) noexcept override { mux_->remove_ufrag(peer_, ufrag); }

  // From the mux. True if `wake` is to be called, once the batch is through.
  bool append(std::span<const base::datagram> datagrams);
  bool append(const base::route& from, base::byte_span packet);
  bool note_error(const base::route& route);
  bool note_writable();
  bool note_addresses();
  void wake();

 private:
  struct outlet {
    mux_address address;
    backlog_sender sender;
  };
  enum class way { kernel, partner, refused };

  [[nodiscard]] way choose_way(const base::route& to, base::byte_span packet);
  [[nodiscard]] const outlet* find_own(const base::endpoint& remote) const;
  void flush(outlet& from, const base::packet_batch& batch, std::size_t first, std::size_t last,
             std::vector<base::route>& failed);
  bool keep(const base::route& from, base::byte_span packet);
  bool needs_wake();

  std::shared_ptr<io::mux> mux_;
  ice::mux_peer peer_ = ice::mux_peer::none;
  std::vector<outlet> outlets_;
  base::route settled_;  ///< where data goes, as far as the mux knows it

  std::mutex mutex_;
  news news_;
  bool woken_ = false;
  std::shared_ptr<const std::function<void()>> wake_;
};

}  // namespace asiortc::io
