// From the user's configuration to what the core and the driver take, with every check.
#pragma once

#include "io/peer_driver.hpp"
#include "peer/peer.hpp"

#include <asiortc/configuration.hpp>
#include <asiortc/data_channel_init.hpp>

#include <string>

namespace asiortc::inline ASIORTC_ABI::detail {

struct peer_settings {
  peer::settings core;
  io::driver_options driver;
};

/// Throws what `peer_connection::set_configuration` documents; `described` says whether a local
/// description was set. Of what it gives only the servers count.
io::driver_options make_next_servers(const configuration& before, const configuration& next,
                                     bool described);

/// Throws what the constructor of `peer_connection` documents.
peer_settings make_peer_settings(const configuration& config);

/// Throws what `peer_connection::create_data_channel` documents for its arguments.
void check_channel_arguments(const std::string& label, const data_channel_init& init);

}  // namespace asiortc::inline ASIORTC_ABI::detail
