// An SCTP engine that keeps its time moving from the first association of a peer to its end.
#pragma once

#include "io/sctp_ticker.hpp"
#include "sctp/association.hpp"

#include <memory>
#include <utility>

namespace asiortc::io {

class ticking_engine final : public sctp::engine {
 public:
  ticking_engine(sctp::engine& inner, sctp_ticker& ticker) : inner_(inner), ticker_(ticker) {}

  std::unique_ptr<sctp::association> create(const sctp::settings& settings,
                                            sctp::wake_function wake) override {
    if (!lease_) lease_ = ticker_.lease();
    return inner_.create(settings, std::move(wake));
  }
  void tick(base::time_point now) override { inner_.tick(now); }

  /// Whether an association was made and `release()` not called.
  [[nodiscard]] bool used() const { return lease_ != nullptr; }
  void release() { lease_.reset(); }

 private:
  sctp::engine& inner_;
  sctp_ticker& ticker_;
  std::shared_ptr<sctp_ticker::lease_type> lease_;
};

}  // namespace asiortc::io
