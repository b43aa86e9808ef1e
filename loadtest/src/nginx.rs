//! nginx as a peer: what a proxy that everybody knows costs for the same job.
//!
//! One process with one event loop; a bearer token looked up in a map, the header replaced by the upstream's, idle
//! upstream connections kept, no access log. Buffering is off, because a proxy in front of MCP must not hold streams
//! back. It runs from a directory of its own and never touches the machine's configuration.

use std::{
    ffi::OsStr,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{net::TcpStream, time::sleep};

use crate::{
    program::{Program, TARGET_CORE, free_addresses},
    upstream,
};

/// What the map of the configuration accepts.
pub const TOKEN: &str = "loadtest-nginx-token-0b52a9e4c1";

/// Why there is no nginx in a table.
pub const MISSING: &str = "skipped: nginx is not installed (apt-get install nginx-light)";

/// How often the start is looked at: nginx says nowhere that it listens.
const START_LOOKS: u32 = 250;

/// How long between two looks.
const START_LOOK: Duration = Duration::from_millis(20);

/// Where packages put it; on Debian the second is not in everybody's `PATH`.
const PLACES: [&str; 3] = ["/usr/bin/nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"];

/// Starts nginx in front of `upstream`, with everything it writes below `root`; nothing if it is not installed.
pub async fn start(root: &Path, upstream: SocketAddr) -> Result<Option<(Program, SocketAddr)>> {
    let Some(binary) = PLACES.iter().map(PathBuf::from).find(|place| place.is_file()) else {
        return Ok(None);
    };
    let address = *free_addresses(1)?.first().context("one address was asked for")?;
    std::fs::create_dir_all(root)?;
    let configuration = root.join("nginx.conf");
    std::fs::write(&configuration, text(root, address, upstream))?;
    let log = root.join("nginx.log");
    let arguments = [OsStr::new("-p"), root.as_os_str(), OsStr::new("-c"), configuration.as_os_str()];
    let mut program = Program::start(&binary, &arguments, TARGET_CORE, &log)?;
    for _ in 0..START_LOOKS {
        if TcpStream::connect(address).await.is_ok() {
            return Ok(Some((program, address)));
        }
        if program.has_ended()? {
            break;
        }
        sleep(START_LOOK).await;
    }
    bail!("nginx did not start: {}", std::fs::read_to_string(&log).unwrap_or_default().trim())
}

/// The configuration. Without a master process there is one process to pin, to measure and to end; it runs the same
/// event loop as a worker.
fn text(root: &Path, listen: SocketAddr, upstream: SocketAddr) -> String {
    let (root, secret) = (root.display(), upstream::SECRET);
    format!(
        r#"daemon off;
master_process off;
worker_rlimit_nofile 65536;
pid {root}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 32768; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    client_body_buffer_size 64k;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    tcp_nodelay on;
    map $http_authorization $known {{
        default 0;
        "Bearer {TOKEN}" 1;
    }}
    upstream load {{
        server {upstream};
        keepalive 64;
        keepalive_requests 100000000;
    }}
    server {{
        listen {listen} backlog=4096;
        location / {{
            if ($known = 0) {{ return 401; }}
            proxy_pass http://load;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Authorization "Bearer {secret}";
            proxy_buffering off;
            proxy_read_timeout 1d;
        }}
    }}
}}
"#
    )
}
