// usrsctp as a whole: its one lock, its time, and who owns which address.
#pragma once

#include "sctp/association.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace asiortc::sctp {

/// What usrsctp calls an association: a number, never a pointer, so that a late call of it meets
/// nobody instead of freed memory.
enum class address_id : std::uintptr_t {};

/// usrsctp takes a pointer where we give a number; nobody follows it.
inline void* to_address(address_id id) {
  return reinterpret_cast<void*>(id);  // NOLINT(performance-no-int-to-ptr)
}

/// Who owns an address. Called with the library's lock held, inside usrsctp: it only takes notes.
class address_owner {
 public:
  explicit address_owner(wake_function wake)
      : wake_(std::make_shared<const wake_function>(std::move(wake))) {}
  virtual ~address_owner() = default;
  address_owner(const address_owner&) = delete;
  address_owner& operator=(const address_owner&) = delete;

  virtual void on_packet_out(base::mutable_byte_span packet) = 0;
  virtual void on_readable() = 0;

 private:
  friend class library;
  std::shared_ptr<const wake_function> wake_;  // may be called a moment after the owner is gone
  bool woken_ = false;
};

class library final : public engine {
 public:
  /// Holds the lock for a batch of calls. `driven` is the association whose owner is at work, so
  /// needs no waking; the others that got packets or events are woken after the lock is released.
  class session {
   public:
    explicit session(library& of, address_owner* driven = nullptr);
    ~session();
    session(const session&) = delete;
    session& operator=(const session&) = delete;

   private:
    library& library_;
    std::unique_lock<std::mutex> lock_;
  };

  /// What all associations together may add to their first buffers. A buffer costs memory only as
  /// far as it is filled, so this bounds the worst case of a process with many stalled peers.
  static constexpr std::size_t buffer_budget = std::size_t{256} << 20;

  static library& instance();

  std::unique_ptr<association> create(const settings& settings, wake_function wake) override;
  void tick(base::time_point now) override;

  // All of these within a session.

  address_id add(address_owner& owner);
  void remove(address_id id);
  /// Moves usrsctp's time up to now; before anything starts a timer after a pause.
  void advance(base::time_point now);
  /// Takes from the budget of all associations' buffers, if there is so much and `leaving` left.
  bool reserve(std::size_t bytes, std::size_t leaving = 0);
  void give_back(std::size_t bytes);
  /// Room to receive into.
  base::mutable_byte_span scratch() { return scratch_; }
  /// Packet batches are shared: an idle association has none.
  base::packet_batch take_batch();
  void give_back(base::packet_batch batch);

 private:
  library();

  static int packet_out(void* address, void* data, std::size_t size, std::uint8_t tos,
                        std::uint8_t set_df);
  void wake_later(address_owner& owner);

  friend class engine_socket;
  address_owner* find(address_id id);
  void readable(address_id id);

  std::mutex mutex_;
  std::unordered_map<address_id, address_owner*> owners_;
  std::uintptr_t last_id_ = 0;
  address_owner* driven_ = nullptr;
  std::vector<std::shared_ptr<const wake_function>> to_wake_;
  std::optional<base::time_point> last_tick_;
  std::size_t reserved_ = 0;
  base::bytes scratch_;
  std::vector<base::packet_batch> spare_batches_;
};

}  // namespace asiortc::sctp
