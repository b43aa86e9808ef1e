//! What a script acts on: a state, a clock, and the gate of one node.

use std::{collections::BTreeMap, sync::Arc};

use authority::{
    Authority, View,
    archive::Head,
    command::{
        AddOperator, AddPrincipal, AddServer, Body, Command, CommitArchiveHead, DisableServer, EnableServer,
        FoundCluster, IssueGrant, RegisterIncarnation, RemoveCredential, RemoveServer, ResumePrincipal,
        RevokeGrant, RotateGrantToken, RotateOperatorToken, SetCredential, SuspendPrincipal, apply,
    },
    credential::{self, Attachment, Credential, HeaderName, Sealed},
    decision::{decide, may_see},
    enforcement::{Admitted, Call, CutReason, Gate, InFlight, Lease},
    event::{Actor, Number, Revision},
    fold, invariant, node,
    operator::{self, Operator},
    principal::{self, Kind, Principal},
    request,
    server::Endpoint,
    snapshot::parts,
    time::{Boot, Now, Wall},
};

use crate::{
    line::{self, Fault, Line},
    told,
};

/// The state, the clock and the node of a script.
#[derive(Default)]
pub struct World {
    state: Authority,
    /// The fold of all events from nothing, which has to stay the state.
    folded: Authority,
    revision: u64,
    seconds: u64,
    /// The commands whose request has a name, by it.
    requests: BTreeMap<String, Command>,
    gate: Gate,
    calls: BTreeMap<String, Admitted>,
}

impl World {
    /// Runs one line and tells what came of it.
    pub fn run(&mut self, text: &str) -> Result<String, Fault> {
        let line = Line::read(text)?;
        Ok(match line.verb {
            "at" => {
                self.seconds = line.number(0)?;
                format!("  it is {} s", self.seconds)
            }
            "decide" => self.decide(&line)?,
            "see" => self.see(&line)?,
            "again" => {
                let request = self.requests.get(line.word(0)?).ok_or("no such request")?.clone();
                self.apply(&Command { time: self.now().wall, ..request })?
            }
            "lease" | "publish" | "call" | "write" | "end" => self.enforce(&line)?,
            _ => {
                let mut command = self.command(body(&line, &self.state)?);
                if let Some(name) = line.option("request") {
                    let first = self.requests.entry(name.to_owned()).or_insert_with(|| command.clone());
                    command.request = first.request;
                }
                self.apply(&command)?
            }
        })
    }

    fn now(&self) -> Now {
        Now { wall: Wall(self.seconds * 1000), boot: Boot(self.seconds * 1_000_000_000) }
    }

    fn command(&self, body: Body) -> Command {
        let request = request::Id(u128::from(self.revision + 1).to_be_bytes());
        Command { request, actor: Actor::Founder, time: self.now().wall, body }
    }

    fn apply(&mut self, command: &Command) -> Result<String, Fault> {
        self.revision += 1;
        let before = self.state.clone();
        let applied = apply(&mut self.state, command, Revision(self.revision));
        for happened in &applied.events {
            fold(&mut self.folded, happened);
        }
        assert_eq!(parts(&self.folded), parts(&self.state), "the state is the fold of its events");
        invariant::every(&before, &self.state)?;
        if applied.events.is_empty() {
            return Ok(format!("  answered without an event: {}", told::answer(&applied.outcome)));
        }
        Ok(applied.events.iter().map(told::event).collect::<Vec<_>>().join("\n"))
    }

    fn view(&self) -> View {
        View::new(self.state.clone(), Revision(self.revision))
    }

    /// `decide GRANT SERVER METHOD [NAME] [token=TOKEN]`, under a lease.
    fn decide(&self, line: &Line<'_>) -> Result<String, Fault> {
        let registered = Arc::new(InFlight::default()).register(call(line, 0)?);
        let decided = decide(&self.view(), &registered, self.now(), Lease::until(Boot(u64::MAX)));
        Ok(format!("  {}", told::decision(decided.as_ref())))
    }

    /// `see GRANT SERVER LIST NAME…`: what is left of a list.
    fn see(&self, line: &Line<'_>) -> Result<String, Fault> {
        let (grant, server) = (line::grant(line.word(0)?), line.server(1)?);
        let kind = line.word(2)?.strip_suffix("/list").and_then(line::list_of).ok_or("no list")?;
        let view = self.view();
        let names = line.words_from(3).iter();
        let seen: Vec<_> = names.copied().filter(|name| may_see(&view, grant, &server, kind, name)).collect();
        Ok(format!("  sees: {}", seen.join(" ")))
    }

    /// What happens at the gate of the node.
    fn enforce(&mut self, line: &Line<'_>) -> Result<String, Fault> {
        let now = self.now();
        Ok(match line.verb {
            "lease" if line.word(0)? == "lost" => {
                self.gate.lease_cell().drop_lease();
                let cut = self.gate.cut_everything(CutReason::LeaseExpired).len();
                format!("  {cut} calls cut")
            }
            "lease" => {
                self.gate.lease_cell().extend(Lease::until(Boot(line.number(0)? * 1_000_000_000)));
                "  the node may enforce until then".to_owned()
            }
            "publish" => {
                let cut = self.gate.publish(self.view(), now.wall);
                let cut = cut.iter().map(|call| told::grant_name(call.grant)).collect::<Vec<_>>();
                format!("  calls cut: {}", if cut.is_empty() { "none".to_owned() } else { cut.join(" ") })
            }
            "call" => {
                let admitted = self.gate.admit(call(line, 1)?, || now);
                let told = told::decision(admitted.as_ref().map(|admitted| &admitted.permit));
                if let Ok(admitted) = admitted {
                    self.calls.insert(line.word(0)?.to_owned(), admitted);
                }
                format!("  {told}; in flight: {}", self.gate.in_flight().len())
            }
            "write" => {
                let admitted = self.calls.get(line.word(0)?).ok_or("no such call")?;
                let mark = admitted.permit.mark();
                match mark.enter_write(self.gate.lease(), now.boot) {
                    Ok(_written) => "  written".to_owned(),
                    Err(cut) => format!("  refused: {cut}; reason {:?}", mark.cut_reason()),
                }
            }
            _ => {
                self.calls.remove(line.word(0)?).ok_or("no such call")?;
                format!("  in flight: {}", self.gate.in_flight().len())
            }
        })
    }
}

/// The call in the words from `at` on: grant, server, method, and the name it is about.
fn call(line: &Line<'_>, at: usize) -> Result<Call, Fault> {
    let grant = line.word(at)?;
    Ok(Call {
        token: line::token(line.option("token").unwrap_or(grant)),
        grant: line::grant(grant),
        server: line.server(at + 1)?,
        action: line.action(at + 2)?,
    })
}

/// The command a line asks.
fn body(line: &Line<'_>, state: &Authority) -> Result<Body, Fault> {
    Ok(match line.verb {
        "found" => Body::FoundCluster(FoundCluster { cluster: line.name(0)? }),
        "add-principal" => Body::AddPrincipal(AddPrincipal { principal: principal(line)? }),
        "suspend" => Body::SuspendPrincipal(SuspendPrincipal { principal: line.principal(0)? }),
        "resume" => Body::ResumePrincipal(ResumePrincipal { principal: line.principal(0)? }),
        "add-server" => {
            let endpoint = Endpoint::parse(line.word(1)?)?;
            Body::AddServer(AddServer { server: line.server(0)?, endpoint })
        }
        "disable-server" => Body::DisableServer(DisableServer { server: line.server(0)? }),
        "enable-server" => Body::EnableServer(EnableServer { server: line.server(0)? }),
        "remove-server" => Body::RemoveServer(RemoveServer { server: line.server(0)? }),
        "set-credential" => Body::SetCredential(SetCredential { credential: credential(line)? }),
        "remove-credential" => {
            let credential = credential::Id::parse(line.word(0)?)?;
            Body::RemoveCredential(RemoveCredential { credential })
        }
        "issue" => Body::IssueGrant(issue(line)?),
        "rotate" => Body::RotateGrantToken(RotateGrantToken {
            grant: line::grant(line.word(0)?),
            token: line::token(line.word(1)?),
            overlap_millis: line.number_option("overlap")?.unwrap_or(0) * 1000,
        }),
        "revoke" => Body::RevokeGrant(RevokeGrant { grant: line::grant(line.word(0)?) }),
        "add-operator" => {
            let (id, token) = (operator::Id::parse(line.word(0)?)?, line::token(line.word(0)?));
            Body::AddOperator(AddOperator { operator: Operator { id, role: line.role(1)?, token } })
        }
        "rotate-operator" => {
            let (operator, token) = (operator::Id::parse(line.word(0)?)?, line::token(line.word(1)?));
            Body::RotateOperatorToken(RotateOperatorToken { operator, token })
        }
        "register" => {
            let (node, epoch) = (node::Id(line.number(0)?), node::Epoch(line.number(1)?));
            Body::RegisterIncarnation(RegisterIncarnation { node, epoch })
        }
        "commit-head" => Body::CommitArchiveHead(commit(line, state)?),
        verb => return Err(format!("{verb} is no verb").into()),
    })
}

fn principal(line: &Line<'_>) -> Result<Principal, Fault> {
    let owner = |id: Option<&str>| Ok::<_, Fault>(principal::Id::parse(id.ok_or("an agent has an owner")?)?);
    let kind = match line.word(1)? {
        "person" => Kind::Person,
        "service" => Kind::Service,
        _ => Kind::Agent { owner: owner(line.option("owner"))? },
    };
    let (display_name, groups) = ("".into(), [].into());
    Ok(Principal { id: line.principal(0)?, kind, display_name, groups, suspended: false })
}

fn credential(line: &Line<'_>) -> Result<Credential, Fault> {
    let header = line.option("header").map(HeaderName::parse).transpose()?;
    let version = line.number_option("version")?.unwrap_or(1);
    Ok(Credential {
        id: credential::Id::parse(line.word(0)?)?,
        server: line.server(1)?,
        origin: Endpoint::parse(line.word(2)?)?.origin,
        attachment: header.map_or(Attachment::Bearer, |name| Attachment::Header { name }),
        version: version.try_into()?,
        sealed: Sealed([0; 40].as_slice().into()),
    })
}

fn issue(line: &Line<'_>) -> Result<IssueGrant, Fault> {
    Ok(IssueGrant {
        grant: line::grant(line.word(0)?),
        principal: line.principal(1)?,
        label: "".into(),
        parent: line.option("parent").map(line::grant),
        scopes: line.scopes(2)?,
        not_before: line.time_option("from")?,
        expires_at: line.time_option("until")?,
        token: line::token(line.option("token").unwrap_or(line.word(0)?)),
    })
}

/// `commit-head HEIGHT through=EVENT`: a head upon the one of the height before.
fn commit(line: &Line<'_>, state: &Authority) -> Result<CommitArchiveHead, Fault> {
    let (height, through) = (line.number(0)?, line.number_option("through")?.ok_or("through= is missing")?);
    let head = Head { height, size: height * 10, events_through: Number(through), ..state.head() };
    Ok(CommitArchiveHead { previous_height: height.saturating_sub(1), head })
}
