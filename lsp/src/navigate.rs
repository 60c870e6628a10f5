//! From a name to where it is defined, and to where it is used.

use gen_lsp_types as lsp;

use crate::convert::Places;
use crate::requests::Here;
use crate::uri::uri_of;

/// Where what is named at a place is defined.
pub(crate) fn definition(here: &Here) -> Option<lsp::Location> {
    let (definition, _) = here.view.names.at(&here.file(), here.byte)?;
    Places::of(&here.view, here.encoding).location(&definition.place)
}

/// Where what is named at a place is referred to, with its definition first if that is asked for.
pub(crate) fn references(here: &Here, with_definition: bool) -> Vec<lsp::Location> {
    let names = &here.view.names;
    let Some((definition, _)) = names.at(&here.file(), here.byte) else {
        return Vec::new();
    };
    let own = with_definition.then_some(&definition.place);
    let others = names.references_to(definition).map(|one| &one.place);
    let mut places = Places::of(&here.view, here.encoding);
    let all = own.into_iter().chain(others);
    all.filter_map(|place| places.location(place)).collect()
}

/// The files that a file names and that are there. A module's folder is its first file.
pub(crate) fn links(here: &Here) -> Vec<lsp::DocumentLink> {
    let file = here.file();
    let own = here.view.names.links().iter();
    let own = own.filter(|link| *link.place.file == *file);
    let mut places = Places::of(&here.view, here.encoding);
    let links = own.filter_map(|link| {
        let mut modules = here.view.sources.modules();
        let module = modules.find(|(folder, _)| *folder == link.target);
        let first = module.and_then(|(_, files)| files.first());
        let target = match first {
            Some(first) => uri_of(first.name.as_ref().as_ref()),
            None if link.target.is_file() => uri_of(&link.target),
            None => return None,
        };
        Some(lsp::DocumentLink {
            range: places.range(&link.place)?,
            target: Some(target),
            tooltip: None,
            data: None,
        })
    });
    links.collect()
}
