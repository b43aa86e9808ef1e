//! The commands of one Raft entry, as they stand in the log.

use authority::{command::Command, time::Wall};
use prost::Message;

use crate::{actor, canonical, command, field, malformed::Malformed, pb::events::v1 as pb};

/// Writes the commands of one entry, in the order in which they are applied.
pub fn encode(commands: &[Command]) -> Vec<u8> {
    pb::Entry { commands: commands.iter().map(command_to_pb).collect() }.encode_to_vec()
}

/// Reads the commands of one entry. Their number and size are bounded by whoever proposed them, who checks it before
/// anything is written.
pub fn decode(bytes: &[u8]) -> Result<Vec<Command>, Malformed> {
    let entry: pb::Entry = canonical::decode("entry", bytes)?;
    entry.commands.into_iter().map(command_from_pb).collect()
}

fn command_to_pb(command: &Command) -> pb::Command {
    pb::Command {
        request: command.request.0.to_vec(),
        actor: Some(actor::to_pb(&command.actor)),
        time_ms: command.time.0,
        body: Some(command::to_pb(&command.body)),
    }
}

fn command_from_pb(command: pb::Command) -> Result<Command, Malformed> {
    Ok(Command {
        request: field::request("command.request", &command.request)?,
        actor: actor::from_pb(command.actor)?,
        time: Wall(command.time_ms),
        body: command::from_pb(field::required("command.body", command.body)?)?,
    })
}
