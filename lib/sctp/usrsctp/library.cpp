#include "sctp/usrsctp/library.hpp"

#include "sctp/crc32c.hpp"
#include "sctp/usrsctp/association.hpp"

#include <usrsctp.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace asiortc::sctp {
namespace {

constexpr std::size_t scratch_size = std::size_t{64} << 10;
constexpr std::size_t max_spare_batches = 4;
// A spare batch that grew beyond this is freed instead of kept.
constexpr std::size_t max_spare_bytes = std::size_t{1} << 20;

address_id to_id(void* address) { return address_id{reinterpret_cast<std::uintptr_t>(address)}; }

// What every association of the process shares; what can be set per socket is set there.
void set_defaults() {
  usrsctp_enable_crc32c_offload();
  usrsctp_sysctl_set_sctp_ecn_enable(0);
  usrsctp_sysctl_set_sctp_pr_enable(1);
  usrsctp_sysctl_set_sctp_auth_enable(0);
  usrsctp_sysctl_set_sctp_asconf_enable(0);
  usrsctp_sysctl_set_sctp_auto_asconf(0);
  usrsctp_sysctl_set_sctp_nrsack_enable(0);
  usrsctp_sysctl_set_sctp_pktdrop_enable(0);
  // Bursts are paced by nobody below, and a limit only starves a long fat path.
  usrsctp_sysctl_set_sctp_max_burst_default(0);
  usrsctp_sysctl_set_sctp_fr_max_burst_default(0);
  usrsctp_sysctl_set_sctp_initial_cwnd(10);
  // RFC 9260 6.2: a SACK at least every second packet and within 200 ms; sooner is better here.
  usrsctp_sysctl_set_sctp_delayed_sack_time_default(20);
  usrsctp_sysctl_set_sctp_sack_freq_default(2);
  // Zero is no limit: ICE decides when the peer is gone (the default ends an association after 30).
  usrsctp_sysctl_set_sctp_max_retran_chunk(0);
  // The default of 512 chunks stops small messages long before the buffer is full.
  usrsctp_sysctl_set_sctp_max_chunks_on_queue(16384);
}

}  // namespace

engine& usrsctp_engine() { return library::instance(); }

library& library::instance() {
  // Never destroyed: usrsctp is never finished, and may be called until the process ends.
  static library& only = *new library;
  return only;
}

library::library() : scratch_(scratch_size) {
  usrsctp_init_nothreads(0, &library::packet_out, nullptr);
  set_defaults();
}

library::session::session(library& of, address_owner* driven) : library_(of), lock_(of.mutex_) {
  library_.driven_ = driven;
  if (driven != nullptr) driven->woken_ = false;
}

library::session::~session() {
  const auto to_wake = std::exchange(library_.to_wake_, {});
  library_.driven_ = nullptr;
  lock_.unlock();
  for (const auto& wake : to_wake) {
    if (*wake) (*wake)();
  }
}

std::unique_ptr<association> library::create(const settings& settings, wake_function wake) {
  return std::make_unique<usrsctp_association>(*this, settings, std::move(wake));
}

void library::tick(base::time_point now) {
  const session locked(*this);
  advance(now);
}

void library::advance(base::time_point now) {
  if (!last_tick_) last_tick_ = now;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - *last_tick_);
  if (elapsed.count() <= 0) return;
  *last_tick_ += elapsed;
  usrsctp_handle_timers(static_cast<std::uint32_t>(elapsed.count()));
}

address_id library::add(address_owner& owner) {
  const address_id id{++last_id_};
  owners_.emplace(id, &owner);
  usrsctp_register_address(to_address(id));
  return id;
}

void library::remove(address_id id) {
  usrsctp_deregister_address(to_address(id));
  owners_.erase(id);
}

address_owner* library::find(address_id id) {
  const auto found = owners_.find(id);
  return found == owners_.end() ? nullptr : found->second;
}

void library::wake_later(address_owner& owner) {
  if (&owner == driven_ || owner.woken_) return;
  owner.woken_ = true;
  to_wake_.push_back(owner.wake_);
}

void library::readable(address_id id) {
  if (address_owner* owner = find(id)) {
    owner->on_readable();
    wake_later(*owner);
  }
}

int library::packet_out(void* address, void* data, std::size_t size, std::uint8_t, std::uint8_t) {
  library& self = instance();
  address_owner* owner = self.find(to_id(address));
  if (owner == nullptr) return 0;
  const base::mutable_byte_span packet(static_cast<std::uint8_t*>(data), size);
  write_checksum(packet);
  owner->on_packet_out(packet);
  self.wake_later(*owner);
  return 0;
}

bool library::reserve(std::size_t bytes, std::size_t leaving) {
  if (bytes > buffer_budget - std::min(buffer_budget, reserved_ + leaving)) return false;
  reserved_ += bytes;
  return true;
}

void library::give_back(std::size_t bytes) {
  assert(bytes <= reserved_);
  reserved_ -= bytes;
}

base::packet_batch library::take_batch() {
  if (spare_batches_.empty()) return {};
  base::packet_batch batch = std::move(spare_batches_.back());
  spare_batches_.pop_back();
  return batch;
}

void library::give_back(base::packet_batch batch) {
  const bool too_large = batch.total_bytes() > max_spare_bytes;
  batch.clear();
  if (!too_large && spare_batches_.size() < max_spare_batches) {
    spare_batches_.push_back(std::move(batch));
  }
}

}  // namespace asiortc::sctp
